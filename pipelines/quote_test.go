package pipelines_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/pipelines"
)

func TestQuote(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"rtsp://10.0.0.1:554/cam?a=b&c=d": "rtsp://10.0.0.1:554/cam?a=b&c=d",
		"":                                `""`,
		"north gate":                      `"north gate"`,
		"it's":                            `"it's"`,
		"a ! fakesink":                    `"a ! fakesink"`,
		"NULL":                            `"\"NULL\""`,
		`a"b`:                             `"\"a\\042b\""`,
		`end\`:                            `"\"end\\134\""`,
		"two\nlines":                      `"\"two\\012lines\""`,
	} {
		require.Equal(t, want, pipelines.Quote(in))
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][]string{
		"":                           nil,
		"  a  !\n b ":                {"a", "!", "b"},
		`a p="x y" q='u "v" w'`:      {"a", `p="x y"`, `q='u "v" w'`},
		`a p=x\ y z`:                 {"a", `p=x\ y`, "z"},
		`a p='"\042\040"' ! b`:       {"a", `p='"\042\040"'`, "!", "b"},
		`a p="it's" ! b q="don't" c`: {"a", `p="it's"`, "!", "b", `q="don't"`, "c"},
	} {
		require.Equal(t, want, pipelines.Words(in), in)
	}
}

func TestJoinIsWhatGstLaunchDoes(t *testing.T) {
	t.Parallel()
	require.Equal(t, `a p=x\ y ! b q="u v"`, pipelines.Join([]string{"a", "p=x y", "!", "b", `q="u v"`}))
}

func TestCommandHidesSecretsOfAnyLine(t *testing.T) {
	t.Parallel()
	words := []string{"rtspsrc", "user-pw=hush", "!", "kinesissink", "secret-access-key=hush", `session-token="hush hush"`, "region=eu"}
	require.Equal(t, "gst-launch-1.0 -e rtspsrc 'user-pw=***' ! kinesissink 'secret-access-key=***' 'session-token=***' region=eu", pipelines.Command(words, false))
	require.Contains(t, pipelines.Command(words, true), `'session-token="hush hush"'`)
}

// A shell gives each word as it was.
func TestCommandInAShell(t *testing.T) {
	t.Parallel()
	words := []string{"a b", `it's`, `"q"`, `$HOME`, "`x`", "!", `\`, "two\nlines", "(", "*", "ä", `'"\040"'`}
	script := strings.Replace(pipelines.Command(words, true), "gst-launch-1.0 -e", `printf '%s\0'`, 1)
	out, err := exec.Command("sh", "-c", script).Output()
	require.NoError(t, err)
	require.Equal(t, words, strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"))
}

// Whatever a value is, it stays one word, and nothing of it stands alone.
func FuzzQuote(f *testing.F) {
	for _, s := range []string{"", "a b", `"`, `\`, `'"'`, "NULL", "\xff", "a\nb", `x" ! y "`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		q := pipelines.Quote(s)
		require.Equal(t, []string{"p=" + q, "!", "next"}, pipelines.Words("p="+q+" ! next"))
		require.False(t, strings.HasSuffix(q, `\`))
	})
}

func FuzzParse(f *testing.F) {
	for _, name := range pipelines.Names() {
		p, err := pipelines.Find(name)
		require.NoError(f, err)
		f.Add("name: x\ntitle: t\nlaunch: |\n  " + strings.ReplaceAll(p.Launch, "\n", "\n  "))
	}
	f.Add(head + "variables:\n  - {name: v, type: int, help: h}\nlaunch: a $[ p=${v} $] ! b\n")
	f.Add(head + "launch: ${ $[ $] ${}\n")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := pipelines.Parse("x.yaml", []byte(text))
		if err != nil {
			require.True(t, strings.HasPrefix(err.Error(), "x.yaml"), err.Error())
			return
		}
		given := map[string]string{}
		for _, v := range p.Variables {
			if v.Required {
				given[v.Name] = "1"
			}
		}
		_, _ = p.Fill(given)
	})
}
