// Package plugins is the one list of elements.
package plugins

import (
	"time"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/internal/frame"
	"gst-kinesis/internal/limit"
	"gst-kinesis/internal/metrics"
	"gst-kinesis/internal/uplink"
	"gst-kinesis/internal/version"
	"gst-kinesis/plugins/kinesissink"
	"gst-kinesis/plugins/kinesisvideosink"
	"gst-kinesis/plugins/recordenc"
	"gst-kinesis/plugins/subsample"
)

// Info describes the plugin that holds all elements.
func Info() *gst.PluginInfo { return InfoWith(new(metrics.Registry)) }

// InfoWith is Info for a program that brings the owner of its metrics' listeners and files.
func InfoWith(shown *metrics.Registry) *gst.PluginInfo {
	return &gst.PluginInfo{
		Name:        "kinesis",
		Description: "Frames and sensor data to Amazon Kinesis",
		Version:     version.Version,
		License:     "MIT/X11",
		Source:      "gst-kinesis",
		Package:     "gst-kinesis",
		Origin:      "gst-kinesis",
		Register: func(p gst.Plugin) error {
			for _, c := range classes(shown) {
				if err := c.Register(p); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// Classes gives a new description of each element, with what they share in a process.
func Classes() []*gst.Class { return classes(new(metrics.Registry)) }

func classes(shown *metrics.Registry) []*gst.Class {
	ids, links := frame.NewSnowflakes(time.Now), new(uplink.Links)
	return []*gst.Class{
		kinesissink.Class(kinesissink.Shared{Limits: new(limit.Registry), Uplinks: links, Metrics: shown}),
		kinesisvideosink.Class(kinesisvideosink.Shared{Uplinks: links, Metrics: shown}),
		subsample.Class(),
		recordenc.MsgpackClass(ids),
		recordenc.JSONClass(ids),
	}
}
