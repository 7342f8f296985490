// Package pipelines holds the presets: pipelines that come with the program, one YAML file each.
//
//	name: test-frames                    # as the file's name, without .yaml
//	title: one line that says what it is
//	description: |
//	  What it is for.
//	variables:
//	  - name: quality                    # as the property that it sets
//	    type: int                        # string, int, bool, fraction, duration, enum, secret
//	    default: 85                      # without one, and not required: unset
//	    min: 1
//	    max: 100
//	    help: quality of the pictures
//	launch: |
//	  videotestsrc is-live=true $[ num-buffers=${num-buffers} $] ! jpegenc quality=${quality} ! …
//
// A variable stands in the line as ${name}. What is between $[ and $] is left out when all variables in it are unset; a variable outside of such a
// part has a default or is required. Strings and secrets stand alone behind the = of a property, and are quoted so that the line reads them as
// one value, whatever is in them; the other types can hold nothing that needs it. A duration goes into the line as a whole number of its unit (ns, us, ms
// or s). Mistakes in a file are told with its line.
package pipelines

import (
	"embed"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

//go:embed *.yaml
var files embed.FS

// ErrUnknown says that there is no preset of a name.
var ErrUnknown = errors.New("there is no such preset")

// Names gives the presets' names, sorted.
func Names() []string {
	entries, err := files.ReadDir(".")
	if err != nil {
		panic(err) // what was embedded can be read
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), path.Ext(e.Name())))
	}
	slices.Sort(names)
	return names
}

// Find reads a preset. For a name that there is none of, the error wraps ErrUnknown and lists those there are.
func Find(name string) (*Preset, error) {
	text, err := files.ReadFile(name + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("%q: %w; the presets are %s", name, ErrUnknown, strings.Join(Names(), ", "))
	}
	return Parse(name+".yaml", text)
}
