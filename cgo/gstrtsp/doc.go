// Package gstrtsp is an RTSP server for live media, on Debian's gst-rtsp-server, and what a test camera needs of GStreamer
// around it: looking into a file, taking its access units into memory, decoding once to learn their order of display.
//
// A Server has mounts. All clients of a mount share one live media, which lives as long as the server. The mount's Feed
// function runs on a goroutine of its own and pushes buffers, with the time of their capture on the machine's monotonic
// clock, into the sources ("video", "audio") of the mount's launch line. Nothing here knows what the pictures show.
//
//	server, err := gstrtsp.New(gstrtsp.Config{Address: "127.0.0.1"})
//	err = server.Mount("/cam", gstrtsp.Mount{
//		Launch: "appsrc name=video ! rtph264pay name=pay0 pt=96 config-interval=-1",
//		Feed:   func(ctx context.Context, m *gstrtsp.Media) { … m.Push(gstrtsp.Video, buffer, at, duration, 50) … },
//	})
//	err = server.Start()
//	defer server.Close()
//
// The package links gst-rtsp-server; only the camera's own binary imports it. It keeps no state outside its values.
// Buffers are C memory without finalizers: who makes or collects one calls Unref.
package gstrtsp
