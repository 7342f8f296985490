package awscall

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/aws/smithy-go"
)

// apiError reads the code and the message of an answer: the code is in a header, or in the
// JSON of the body, where either may have a prefix or a suffix.
func apiError(answer *http.Response, text []byte) error {
	var body struct{ Type, Code, Message string }
	var raw map[string]any
	if json.Unmarshal(bytes.TrimSpace(text), &raw) == nil {
		for key, value := range raw {
			word, _ := value.(string)
			switch strings.ToLower(key) {
			case "__type":
				body.Type = word
			case "code":
				body.Code = word
			case "message":
				body.Message = word
			}
		}
	}
	code := answer.Header.Get("X-Amzn-ErrorType")
	for _, other := range []string{body.Type, body.Code} {
		if code == "" {
			code = other
		}
	}
	code, _, _ = strings.Cut(code, ":")
	if i := strings.LastIndexByte(code, '#'); i >= 0 {
		code = code[i+1:]
	}
	if code == "" {
		code = "UnknownError"
	}
	fault := smithy.FaultClient
	if answer.StatusCode >= 500 {
		fault = smithy.FaultServer
	}
	return &smithy.GenericAPIError{Code: code, Message: body.Message, Fault: fault}
}
