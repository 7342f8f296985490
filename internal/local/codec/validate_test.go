package codec

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{}`: "",
		`{"Text":"abcd","Small":10,"Data":"AQID","List":["ab"],"Pairs":{"abc":""},"Inner":{"Name":"A"},"Inners":[{"Name":"B"}]}`: "",
		`{"Text":"a"}`: "1 validation error detected: Value 'a' at 'text' failed to satisfy constraint: Member must have length greater than or equal to 2",
		`{"Text":""}`: "2 validation errors detected: Value '' at 'text' failed to satisfy constraint: Member must satisfy regular expression " +
			"pattern: [a-z]+; Value '' at 'text' failed to satisfy constraint: Member must have length greater than or equal to 2",
		`{"Small":0}`:  "1 validation error detected: Value '0' at 'small' failed to satisfy constraint: Member must have value greater than or equal to 1",
		`{"Small":11}`: "1 validation error detected: Value '11' at 'small' failed to satisfy constraint: Member must have value less than or equal to 10",
		`{"Data":"AQIDBA=="}`: "1 validation error detected: Value 'java.nio.HeapByteBuffer[pos=0 lim=4 cap=4]' at 'data' failed to satisfy " +
			"constraint: Member must have length less than or equal to 3",
		`{"List":["abc"]}`: "1 validation error detected: Value '[abc]' at 'list' failed to satisfy constraint: Member must satisfy constraint: " +
			"[Member must have length less than or equal to 2, Member must have length greater than or equal to 1]",
		`{"Pairs":{"abcd":"x"}}`: "1 validation error detected: Value '{abcd=x}' at 'pairs' failed to satisfy constraint: Map keys must satisfy " +
			"constraint: [Member must have length less than or equal to 3, Member must have length greater than or equal to 1]",
		`{"Inner":{}}`: "1 validation error detected: Value null at 'inner.name' failed to satisfy constraint: Member must not be null",
		`{"Inners":[{"Name":"A"},{"Name":"C"}]}`: "1 validation error detected: Value 'C' at 'inners.2.member.name' failed to satisfy constraint: " +
			"Member must satisfy enum value set: [A, B]",
	} {
		v, err := decode(t, JSON, body)
		require.NoError(t, err)
		err = ShapeOf[sample]().Validate(&v)
		if want == "" {
			require.NoError(t, err, body)
			continue
		}
		require.EqualError(t, err, "ValidationException: "+want, body)
	}
}

func TestValidateStopsAtTen(t *testing.T) {
	t.Parallel()
	v, err := decode(t, JSON, `{"Inners":[`+strings.TrimSuffix(strings.Repeat(`{},`, 20), ",")+`]}`)
	require.NoError(t, err)
	err = ShapeOf[sample]().Validate(&v)
	require.ErrorContains(t, err, "10 validation errors detected: ")
	require.ErrorContains(t, err, "Value '[com.example.Inner@")
	require.NotContains(t, err.Error(), "inners.10")
}
