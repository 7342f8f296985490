// Package mp4 writes MP4 files of coded video and audio.
//
// Sources: ISO/IEC 14496-12 (boxes, tables of samples, edit lists), 14496-14 and -1 (AAC: mp4a, esds), 14496-15 (H.264: avc1, avcC;
// H.265: hvc1, hvcC); QuickTime file format (G.711: alaw, ulaw).
//
//	ftyp
//	moov  mvhd, and for each track
//	      trak  tkhd, edts > elst, mdia > mdhd, hdlr, minf > vmhd or smhd, dinf > dref, stbl > stsd, stts, ctts, stss, stsc, stsz, stco or co64
//	mdat  samples, in the order they were added
//
// [File] is for those who know all samples before they write the first: moov comes first, so that a player can begin at once.
// [Writer] is for those who do not: moov comes last.
//
// Samples come in decode order with presentation times alone. Decode times are made of them: the same times in their order, all of
// them early enough that no sample is shown before it is decoded; an edit list takes that delay away again.
//
// No type here is safe for concurrent use. What is kept of a sample takes 24 bytes.
package mp4
