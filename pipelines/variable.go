package pipelines

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Type is a variable's type.
type Type string

// The types.
const (
	String   Type = "string"
	Int      Type = "int"
	Bool     Type = "bool"
	Fraction Type = "fraction" // 30000/1001, or 25
	Duration Type = "duration" // 200ms, 1m30s
	Enum     Type = "enum"
	Secret   Type = "secret" // a string that is not shown
)

// Variable is what a user of a preset may set.
type Variable struct {
	Name     string   `yaml:"name"`
	Type     Type     `yaml:"type"`
	Default  *string  `yaml:"default"` // nil: unset
	Required bool     `yaml:"required"`
	Help     string   `yaml:"help"`
	Values   []string `yaml:"values"` // of an enum
	Min      *int64   `yaml:"min"`    // of an int
	Max      *int64   `yaml:"max"`
	Unit     string   `yaml:"unit"` // of a duration in the line: ns, us, ms or s
}

// units are what a duration may be counted in, in a line.
func units() map[string]time.Duration {
	return map[string]time.Duration{"ns": 1, "us": time.Microsecond, "ms": time.Millisecond, "s": time.Second}
}

var nick = regexp.MustCompile(`^[A-Za-z0-9_.+-]+$`)

// check says what is wrong with the description, and at which of its fields.
func (v *Variable) check() (field string, err error) {
	_, unit := units()[v.Unit]
	switch {
	case !name.MatchString(v.Name):
		return "name", errors.New("a name is of small letters, digits and -")
	case !slices.Contains([]Type{String, Int, Bool, Fraction, Duration, Enum, Secret}, v.Type):
		return "type", fmt.Errorf("%q is no type: use string, int, bool, fraction, duration, enum or secret", v.Type)
	case v.Help == "":
		return "name", errors.New("help is missing")
	case (v.Type == Duration) != unit:
		return "unit", errors.New("a duration, and nothing else, has a unit: ns, us, ms or s")
	case (v.Type == Enum) != (len(v.Values) > 0):
		return "values", errors.New("an enum, and nothing else, has values")
	case v.Type != Int && (v.Min != nil || v.Max != nil):
		return "min", errors.New("only an int has min and max")
	case v.Required && v.Default != nil:
		return "default", errors.New("what is required has no default")
	}
	for _, x := range v.Values {
		if !nick.MatchString(x) {
			return "values", fmt.Errorf("%q cannot be a value", x)
		}
	}
	if v.Default != nil {
		if _, err := v.read(*v.Default); err != nil {
			return "default", err
		}
	}
	return "", nil
}

// read gives a value as it stands in the line, before quoting.
func (v *Variable) read(text string) (string, error) {
	switch v.Type {
	case Int:
		return v.readInt(text)
	case Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return "", fmt.Errorf("%q is neither true nor false", text)
		}
		return strconv.FormatBool(b), nil
	case Fraction:
		return readFraction(text)
	case Duration:
		return v.readDuration(text)
	case Enum:
		if !slices.Contains(v.Values, text) {
			return "", fmt.Errorf("%q is none of %s", text, strings.Join(v.Values, ", "))
		}
	default:
		if strings.ContainsRune(text, 0) {
			return "", errors.New("a NUL cannot stand in it")
		}
	}
	return text, nil
}

func (v *Variable) readInt(text string) (string, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err != nil:
		return "", fmt.Errorf("%q is no whole number", text)
	case v.Min != nil && n < *v.Min:
		return "", fmt.Errorf("%d is less than %d", n, *v.Min)
	case v.Max != nil && n > *v.Max:
		return "", fmt.Errorf("%d is more than %d", n, *v.Max)
	}
	return strconv.FormatInt(n, 10), nil
}

func readFraction(text string) (string, error) {
	a, b, two := strings.Cut(text, "/")
	if !two {
		b = "1"
	}
	n, err1 := strconv.ParseUint(a, 10, 31)
	d, err2 := strconv.ParseUint(b, 10, 31)
	if err1 != nil || err2 != nil || d == 0 {
		return "", fmt.Errorf("%q is no fraction such as 25/1 or 30000/1001", text)
	}
	return fmt.Sprintf("%d/%d", n, d), nil
}

func (v *Variable) readDuration(text string) (string, error) {
	d, err := time.ParseDuration(text)
	unit := units()[v.Unit]
	switch {
	case err != nil:
		return "", fmt.Errorf("%q is no time such as 200ms or 1m30s", text)
	case d < 0:
		return "", fmt.Errorf("%v is before it begins", d)
	case d%unit != 0:
		return "", fmt.Errorf("%v is no whole number of %s", d, v.Unit)
	}
	return strconv.FormatInt(int64(d/unit), 10), nil
}

// Range describes what the variable takes, for a listing.
func (v *Variable) Range() string {
	switch {
	case v.Type == Enum:
		return strings.Join(v.Values, "|")
	case v.Min != nil || v.Max != nil:
		lo, hi := int64(math.MinInt64), int64(math.MaxInt64)
		if v.Min != nil {
			lo = *v.Min
		}
		if v.Max != nil {
			hi = *v.Max
		}
		switch {
		case hi == math.MaxInt64:
			return fmt.Sprintf("int from %d", lo)
		case lo == math.MinInt64:
			return fmt.Sprintf("int to %d", hi)
		}
		return fmt.Sprintf("int %d to %d", lo, hi)
	}
	return string(v.Type)
}
