// Package videofiles keeps video streams on disk: settings in one small file a stream, fragments in segment files.
//
// Layout in a data directory, beside the folders of package journal, which holds the directory's lock:
//
//	video-000001/             one a stream, readable by its owner only
//	    stream.json           settings; replaced as a whole
//	    0000000001.seg        fragments, oldest file first; appended to
//
// A segment file is the 8 bytes "GKLVID1\n" and then frames. Integers are little-endian. A frame is
//
//	u32  length of the description, 1 byte to 1 MiB
//	u32  length of the media, up to 64 MiB
//	u32  CRC-32C of both lengths and the description
//	u32  CRC-32C of the media
//	     description: a JSON object
//	     media
//
// A description of kind "header" is of what a session of PutMedia began with; its media is that. One of kind "fragment" is of a
// fragment: its media is the cluster's blocks. A fragment names its header, which comes before it in the same segment, so that each
// segment can be read by itself.
//
// What survives: a fragment is acknowledged as PERSISTED after write(2) returned, so the death of the process loses nothing that was
// acknowledged. The loss of power can lose what the kernel had not yet written, unless Options.Sync makes each fragment wait for
// fsync(2). At the start the index is made again from the descriptions; the media of the newest segment is checked too, and what is
// torn at its end is cut off. A broken frame elsewhere ends the reading of that segment, with a warning. Media is checked each time
// that it is read.
//
// A segment is removed when its last fragment was dropped. Fragments of the oldest segment that were dropped while others in it were
// not come back after a restart, and are dropped again by the same rules.
package videofiles
