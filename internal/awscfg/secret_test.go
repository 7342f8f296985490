package awscfg

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"
)

func TestASecretIsNeverPrinted(t *testing.T) {
	t.Parallel()
	const text = "wJalrXUtnFEMI"
	s := Settings{SecretAccessKey: text, SessionToken: text}
	var logged bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&logged, nil), slog.NewJSONHandler(&logged, nil)} {
		slog.New(handler).Info("settings", "settings", s, "pointer", &s, "secret", s.SecretAccessKey)
	}
	asJSON, err := json.Marshal(s)
	require.NoError(t, err)
	asYAML, err := yaml.Marshal(s)
	require.NoError(t, err)
	all := logged.String() + string(asJSON) + string(asYAML)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%20s", "%-5v", "%T"} {
		all += fmt.Sprintf(verb+verb+verb, s, &s, s.SecretAccessKey)
	}
	all += fmt.Sprint(s, s.SessionToken, []Secret{text}, map[Secret]Secret{text: text}, fmt.Errorf("in an error: %v", s))
	require.NotContains(t, all, text)
	require.NotContains(t, all, fmt.Sprintf("%x", text))
	require.Contains(t, all, mask)
	require.Equal(t, text, s.SecretAccessKey.Reveal())
	require.Empty(t, fmt.Sprint(Secret("")))

	var read Settings
	require.NoError(t, json.Unmarshal([]byte(`{"SecretAccessKey":"`+text+`"}`), &read))
	require.Equal(t, text, read.SecretAccessKey.Reveal())
}
