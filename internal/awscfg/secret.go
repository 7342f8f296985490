package awscfg

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a string that is never printed: fmt with any verb, slog, and JSON,
// YAML or text encoders show three asterisks, or nothing when it is empty.
// Only Reveal gives the text.
type Secret string

const mask = "***"

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

// String returns the mask.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return mask
}

// Format writes the mask, whatever the verb and the flags.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue gives slog the mask.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText gives encoders the mask; encoding/json uses it as well.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes the secret as it is, so that configuration files may hold one.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = Secret(text)
	return nil
}
