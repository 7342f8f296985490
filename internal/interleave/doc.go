// Package interleave puts the frames of several tracks into one line, by time.
//
//	q := interleave.New[frame](interleave.Settings{Wait: 200 * time.Millisecond, Begin: 2 * time.Second, MostBytes: 32 << 20})
//	video, audio := q.Add(1), q.Add(2)
//	direct, err := video.Put(ctx, f, time, size)   // direct: f is the caller's still, to be sent at once
//	audio.Advance(time)                            // there is nothing of audio before that time
//	for f, ok := q.Next(ctx); ok; f, ok = q.Next(ctx) { … }   // one goroutine
//
// A frame leaves when no other track can have an earlier one: each has a later frame, has told
// so by Advance, or has ended. A track that is silent is waited for no longer than a bound.
// Frames of one track keep their order, whatever their times; one that comes late goes next.
//
// While there is but one track there is nothing to wait for: Put then says "direct", takes
// nothing, allocates nothing, and the frame does not change goroutines.
package interleave
