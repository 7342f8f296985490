// Package putmedia sends video and audio to an Amazon Kinesis video stream: it takes
// frames, makes fragments of them, keeps each until the service has stored it, and sends
// again what a lost connection left open.
//
//	s, err := putmedia.New(client, settings, observer)
//	err = s.SetTracks(tracks)
//	f := s.Reserve(len(payload))
//	copy(f.Data, payload)
//	f.Track, f.Key, f.PTS, f.DTS = 1, true, pts, dts
//	err = s.Put(ctx, f)      // the frame is the stream's from here on
//	err = s.Flush(ctx)       // everything accepted so far is accounted for
//	s.Close()
//
// # Fragments
//
// A fragment begins at a key frame of the video (without video at any frame) and is what
// the service acknowledges: BUFFERING, RECEIVED, PERSISTED. It is kept in memory, and
// with a spool on disk, until PERSISTED (RECEIVED where the stream keeps nothing).
//
// # Sessions
//
// A session is one PutMedia call: an EBML header and Tracks, then fragments, while the
// answer brings acknowledgements. There is one at a time, as the service takes no second.
// It ends at a fragment's boundary when its credentials or its time run out, when the
// codec data change and when time goes back; after any other end the next session begins
// with the first fragment that is not stored. It announces the tracks that its fragments
// have frames of, see tracks.go.
//
// # Delegate
//
// A Delegate is used like a Stream and leaves the sending to a Producer, such as AWS's own
// SDK: it keeps the books over what that tells.
//
// # Books
//
// accepted = persisted + dropped by reason + skipped by error id + spooled + in flight,
// in frames and bytes, in every snapshot that Books returns.
//
// # Goroutines
//
// One supervisor runs the sessions, one more reads the answer of the session under way, one
// writes its body (see mediacall), and one reporter tells the observer. A frame that is put
// wakes the one that writes and no other. All start in New or later and have ended when Close
// returns.
package putmedia
