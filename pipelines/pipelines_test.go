package pipelines_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/pipelines"
)

// needed are values for what the presets that come with the program require.
func needed() map[string]string {
	return map[string]string{"location": "rtsp://10.0.0.1/cam", "stream-name": "cams", "video-stream-name": "footage"}
}

func with(p *pipelines.Preset, given map[string]string) map[string]string {
	all := map[string]string{}
	for _, v := range p.Variables {
		if x, ok := needed()[v.Name]; ok && v.Required {
			all[v.Name] = x
		}
	}
	for k, v := range given {
		all[k] = v
	}
	return all
}

func TestPresetsThatComeWithTheProgram(t *testing.T) {
	t.Parallel()
	files, err := os.ReadDir(".")
	require.NoError(t, err)
	var names []string
	for _, f := range files {
		if name, ok := strings.CutSuffix(f.Name(), ".yaml"); ok {
			names = append(names, name)
		}
	}
	require.Equal(t, names, pipelines.Names(), "all are embedded")
	require.Subset(t, names, []string{"rtsp-both", "rtsp-frames", "rtsp-jsonl", "rtsp-video", "test-frames"})
	for _, name := range names {
		p, err := pipelines.Find(name)
		require.NoError(t, err)
		require.NotEmpty(t, p.Description)
		l, err := p.Fill(with(p, nil))
		require.NoError(t, err)
		require.NotContains(t, l.Launch(), "$")
		require.Regexp(t, "kinesis(video)?sink stream-name=cams", l.Launch())
		require.True(t, strings.HasPrefix(l.Shell(false), "gst-launch-1.0 -e "))
	}
	_, err = pipelines.Find("rtsp-frame")
	require.ErrorIs(t, err, pipelines.ErrUnknown)
	require.ErrorContains(t, err, "rtsp-both, rtsp-frames, rtsp-jsonl, rtsp-video, test-frames")
}

func TestFill(t *testing.T) {
	t.Parallel()
	p, err := pipelines.Find("rtsp-frames")
	require.NoError(t, err)
	plain, err := p.Fill(with(p, nil))
	require.NoError(t, err)
	require.NotContains(t, plain.Launch(), "videoscale", "what is not set is left out")
	require.NotContains(t, plain.Launch(), "region")
	l, err := p.Fill(with(p, map[string]string{
		"width": "320", "max-rate": "5", "latency": "1.5s", "protocols": "udp", "region": "eu-central-1", "user-id": "me", "user-pw": "a b!", "quality": "+7",
	}))
	require.NoError(t, err)
	for _, part := range []string{
		"videoscale ! video/x-raw,pixel-aspect-ratio=1/1,width=320 !", "max-rate=5/1", "latency=1500", "protocols=udp", "region=eu-central-1",
		"user-id=me", `user-pw="a b!"`, "jpegenc quality=7 !",
	} {
		require.Contains(t, l.Launch(), part)
	}
	require.NotContains(t, l.Launch(), "height")
	require.Contains(t, l.Shell(false), "user-pw=***")
	require.NotContains(t, l.Shell(false), "a b!")
	require.Contains(t, l.Shell(true), `'user-pw="a b!"'`)
}

func TestFillErrors(t *testing.T) {
	t.Parallel()
	p, err := pipelines.Find("rtsp-frames")
	require.NoError(t, err)
	for name, c := range map[string]struct {
		given map[string]string
		want  string
	}{
		"unknown":          {map[string]string{"sensor": "x"}, `preset rtsp-frames has no variable "sensor"; it has location, user-id,`},
		"no number":        {map[string]string{"gap": "many"}, `setting gap of preset rtsp-frames: "many" is no whole number`},
		"too small":        {map[string]string{"gap": "-1"}, "-1 is less than 0"},
		"too large":        {map[string]string{"quality": "101"}, "101 is more than 100"},
		"no fraction":      {map[string]string{"max-rate": "5/0"}, `"5/0" is no fraction`},
		"half a fraction":  {map[string]string{"max-rate": "/2"}, `"/2" is no fraction`},
		"no enum":          {map[string]string{"protocols": "http"}, `"http" is none of tcp, udp, udp-mcast`},
		"no duration":      {map[string]string{"latency": "200"}, `"200" is no time`},
		"no whole ms":      {map[string]string{"latency": "1500us"}, "no whole number of ms"},
		"negative":         {map[string]string{"latency": "-1s"}, "before it begins"},
		"NUL":              {map[string]string{"sensor-name": "a\x00b"}, "NUL"},
		"NUL in a secret":  {map[string]string{"user-pw": "hush\x00"}, "setting user-pw of preset rtsp-frames: it cannot be used"},
		"an injected part": {map[string]string{"quality": "85 ! fakesink"}, "no whole number"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := p.Fill(with(p, c.given))
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "hush")
		})
	}
	_, err = p.Fill(map[string]string{"stream-name": "s"})
	require.EqualError(t, err, "preset rtsp-frames needs location (the camera's address, such as rtsp://192.168.1.20:554/stream1)")
}

const head = "name: x\ntitle: a title\ndescription: what for\n"

func TestMistakesInFiles(t *testing.T) {
	t.Parallel()
	variable := func(v string) string {
		return head + "variables:\n  - name: v\n" + v + "    help: h\nlaunch: |\n  a ! b $[ p=${v} $]\n"
	}
	for name, c := range map[string]struct{ text, want string }{
		"not YAML":             {"name: [", "x.yaml:1: "},
		"unknown key":          {head + "launched: x\n", "x.yaml:4: unknown field"},
		"a wrong kind":         {"name: x\ntitle: [1]\n", "x.yaml:2: "},
		"another name":         {"# about\nname: y\ntitle: t\nlaunch: a ! b\n", `x.yaml:2: the name "y" is not that of the file, "x"`},
		"no title":             {"name: x\nlaunch: a ! b\n", "x.yaml:1: a title"},
		"no line":              {head, "x.yaml:1: the launch line is missing"},
		"unknown variable":     {head + "launch: |\n  a !\n  b p=${no}\n", `x.yaml:6: the variable "no" is not described`},
		"no end of a name":     {head + "launch: |\n  a ! b p=${no\n", "x.yaml:5: ${no has no end"},
		"no end of a part":     {head + "launch: |\n  a !\n  $[ b\n", "x.yaml:6: $[ has no $]"},
		"no begin of a part":   {head + "launch: a ! b $]\n", "x.yaml:4: $] ends what no $[ began"},
		"a part for nothing":   {head + "launch: |\n  a $[ ! b $]\n", "x.yaml:5: there is no variable between"},
		"type":                 {variable("    type: number\n"), `x.yaml:6: variable "v": "number" is no type`},
		"default of an int":    {variable("    type: int\n    default: x\n"), `x.yaml:7: variable "v": "x" is no whole number`},
		"default out of range": {variable("    type: int\n    max: 3\n    default: 4\n"), "x.yaml:8: "},
		"unit missing":         {variable("    type: duration\n"), `variable "v": a duration`},
		"unit of an int":       {variable("    type: int\n    unit: ms\n"), `x.yaml:7: variable "v": a duration`},
		"enum without values":  {variable("    type: enum\n"), "an enum, and nothing else, has values"},
		"enum with a blank":    {variable("    type: enum\n    values: [a, b c]\n"), `"b c" cannot be a value`},
		"min of a string":      {variable("    type: string\n    min: 1\n"), "only an int"},
		"required and default": {variable("    type: int\n    required: true\n    default: 1\n"), "what is required has no default"},
		"no help":              {head + "variables:\n  - name: v\n    type: int\nlaunch: a p=${v}\n", "help is missing"},
		"twice":                {head + "variables:\n  - {name: v, type: int, help: h}\n  - {name: v, type: int, help: h}\nlaunch: a $[p=${v}$]\n", `x.yaml:6: the variable "v" is there twice`},
		"unused":               {head + "variables:\n  - {name: v, type: int, help: h}\nlaunch: a ! b\n", `x.yaml:6: the variable "v" is not used`},
		"a string in a word": {
			head + "variables:\n  - {name: v, type: string, required: true, help: h}\nlaunch: |\n  a !\n  b p=x${v}\n",
			"x.yaml:8: ${v} is a string: it must stand alone",
		},
		"a string before a word": {
			head + "variables:\n  - {name: v, type: string, required: true, help: h}\nlaunch: |\n  a !\n  b p=${v}/x\n",
			`x.yaml:8: "/x" follows a string: it must stand alone`,
		},
		"unset outside of a part": {
			head + "variables:\n  - {name: v, type: int, help: h}\nlaunch: |\n  a !\n  b p=${v}\n",
			`x.yaml:8: the variable "v" may be unset`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := pipelines.Parse("x.yaml", []byte(c.text))
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "\n", "one line")
		})
	}
}

func TestPartsInParts(t *testing.T) {
	t.Parallel()
	p, err := pipelines.Parse("dir/x.yaml", []byte(head+`variables:
  - {name: a, type: int, help: h}
  - {name: b, type: bool, default: false, help: h}
  - {name: c, type: string, help: h}
launch: x b=${b} $[ ! y $[a=${a}$] $[c=${c} $]$] ! z
`))
	require.NoError(t, err)
	for want, given := range map[string]map[string]string{
		"x b=false ! z":               nil,
		"x b=true ! y a=1 ! z":        {"a": "1", "b": "1"},
		`x b=false ! y c="" ! z`:      {"c": ""},
		"x b=false ! y a=2 c=d-e ! z": {"a": "2", "c": "d-e"},
	} {
		l, err := p.Fill(given)
		require.NoError(t, err)
		require.Equal(t, want, l.Launch())
	}
}

func TestRange(t *testing.T) {
	t.Parallel()
	lo, hi := int64(1), int64(9)
	for want, v := range map[string]pipelines.Variable{
		"a|b": {Type: pipelines.Enum, Values: []string{"a", "b"}}, "int 1 to 9": {Type: pipelines.Int, Min: &lo, Max: &hi},
		"int from 1": {Type: pipelines.Int, Min: &lo}, "int to 9": {Type: pipelines.Int, Max: &hi}, "string": {Type: pipelines.String},
	} {
		require.Equal(t, want, v.Range())
	}
}
