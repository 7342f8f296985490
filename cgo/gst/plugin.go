package gst

// #include "ggo.h"
import "C"

import (
	"errors"
	"fmt"
	"runtime/cgo"
	"unsafe"
)

// Plugin is a GstPlugin while its elements are registered.
type Plugin struct{ c *C.GstPlugin }

// PluginInfo describes a plugin.
type PluginInfo struct {
	Name, Description, Version string
	License                    string // one that GStreamer 1.22 knows, such as MIT/X11
	Source, Package, Origin    string
	Register                   func(Plugin) error // registers the elements, once

	err error // of Register
}

// Init initialises GStreamer. Programs call it first; it may be called again.
func Init() error {
	var err *C.GError
	if C.gst_init_check(nil, nil, &err) == 0 {
		defer C.g_error_free(err)
		return fmt.Errorf("initialising gstreamer: %s", gstring(err.message))
	}
	return nil
}

// RegisterStatic makes the plugin known in this process. Its elements win over those of the same name that the registry has of a file.
func RegisterStatic(p *PluginInfo) error {
	t := p.texts()
	ok := C.ggo_plugin_register_static(C.uintptr_t(cgo.NewHandle(p)), t[0], t[1], t[2], t[3], t[4], t[5], t[6])
	for _, s := range t {
		cfree(s)
	}
	switch {
	case p.err != nil:
		return fmt.Errorf("registering the plugin %s: %w", p.Name, p.err)
	case ok == 0:
		return errors.New("registering the plugin " + p.Name)
	}
	return nil
}

// LibraryDesc gives the GstPluginDesc by which a library (-buildmode=c-shared) answers gst_plugin_<name>_get_desc. Once a library.
func LibraryDesc(p *PluginInfo) unsafe.Pointer {
	t := p.texts()
	d := C.ggo_plugin_desc(C.uintptr_t(cgo.NewHandle(p)), t[0], t[1], t[2], t[3], t[4], t[5], t[6])
	for _, s := range t {
		cfree(s)
	}
	return unsafe.Pointer(d)
}

// texts gives the strings on the C heap; the caller frees them.
func (p *PluginInfo) texts() [7]*C.gchar {
	return [7]*C.gchar{cstr(p.Name), cstr(p.Description), cstr(p.Version), cstr(p.License), cstr(p.Source), cstr(p.Package), cstr(p.Origin)}
}

// Version is GStreamer's own.
func Version() string { return takeString(C.gst_version_string()) }

//export ggoGoPluginInit
func ggoGoPluginInit(h C.uintptr_t, plugin *C.GstPlugin) C.gboolean {
	p := cgo.Handle(h).Value().(*PluginInfo)
	defer func() {
		if x := recover(); x != nil {
			p.err = fmt.Errorf("the plugin failed inside: %v", x)
		}
	}()
	if p.err = p.Register(Plugin{plugin}); p.err != nil {
		complain(unsafe.Pointer(plugin), "registering the plugin "+p.Name, p.err)
	}
	return gbool(p.err == nil)
}
