package wire_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/wire"
)

const refusedJSON = `{"__type":"SerializationException"}`

func TestModes(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"auto", "json", "cbor"} {
		m, err := wire.ParseMode(name)
		require.NoError(t, err)
		require.Equal(t, name, m.String())
	}
	_, err := wire.ParseMode("xml")
	require.ErrorContains(t, err, `"xml": it must be auto, json or cbor`)

	for endpoint, want := range map[string]wire.Format{
		"": wire.CBOR, "https://kinesis.eu-west-1.amazonaws.com": wire.CBOR, "https://kinesis.cn-north-1.amazonaws.com.cn/": wire.CBOR,
		"https://vpce-1-2.kinesis.eu-west-1.vpce.amazonaws.com:443": wire.CBOR, "https://KINESIS.eu-west-1.api.aws.": wire.CBOR,
		"http://127.0.0.1:4567": wire.JSON, "http://localstack:4566": wire.JSON, "https://amazonaws.com.example.org": wire.JSON,
		"https://notamazonaws.com": wire.JSON, "::": wire.JSON,
	} {
		require.Equal(t, want, wire.New(wire.Settings{Endpoint: endpoint}).Format(), endpoint)
		require.Equal(t, wire.JSON, wire.New(wire.Settings{Mode: wire.OnlyJSON, Endpoint: endpoint}).Format())
		require.Equal(t, wire.CBOR, wire.New(wire.Settings{Mode: wire.PreferCBOR, Endpoint: endpoint}).Format())
		// An endpoint of environment or profile is only seen in the client's options.
		_, p := clientOf(nil, wire.Settings{}, func(o *kinesis.Options) {})
		o := kinesis.Options{BaseEndpoint: aws.String(endpoint)}
		p.Install(&o)
		require.Equal(t, want, p.Format(), endpoint)
	}
}

func TestAutoRecognisesOurEndpoint(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{"json, cbor": "json cbor cbor", "CBOR": "json cbor cbor", "json": "json json json", "": "json json json"} {
		c := (&recorder{t: t}).then(200, jsonType, okJSON, wire.Header, header).then(200, cborType, okCBOR, wire.Header, header)
		client, _ := clientOf(c, wire.Settings{Endpoint: "http://127.0.0.1:4567"})
		for range 3 {
			_, err := client.PutRecords(t.Context(), one())
			require.NoError(t, err)
		}
		require.Equal(t, want, c.formats(), header)
	}
	// Any answer tells: that of another operation, and errors too.
	c := (&recorder{t: t}).then(400, jsonType, `{"__type":"ResourceNotFoundException"}`, wire.Header, "json, cbor").then(200, cborType, okCBOR)
	client, p := clientOf(c, wire.Settings{Endpoint: "http://127.0.0.1:4567"})
	_, err := client.DescribeStreamSummary(t.Context(), &kinesis.DescribeStreamSummaryInput{StreamName: aws.String("s")})
	require.Error(t, err)
	require.Equal(t, wire.CBOR, p.Format())
}

// TestRefusals sends the request again in JSON, once, and stays with JSON.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, refuse := range map[string]struct {
		status            int
		contentType, body string
	}{
		"JSON":              {400, jsonType, refusedJSON},
		"CBOR":              {400, cborType, "\xbff__typevSerializationException\xff"},
		"unknown operation": {404, jsonType, `{"__type":"com.amazon.coral.service#UnknownOperationException"}`},
		"XML":               {404, "", "<UnknownOperationException/>\n"},
		"front": {403, "", "<AccessDeniedException>\n  <Message>Unable to determine service/operation name to be authorized" +
			"</Message>\n</AccessDeniedException>\n"},
		"media type":     {415, "text/html", "<html>"},
		"not acceptable": {406, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log []string
			c := (&recorder{t: t}).then(refuse.status, refuse.contentType, refuse.body).then(200, jsonType, okJSON, wire.Header, "cbor")
			client, p := clientOf(c, wire.Settings{Log: func(line string) { log = append(log, line) }})
			for range 2 {
				out, err := client.PutRecords(t.Context(), one())
				require.NoError(t, err)
				require.Len(t, out.Records, 1)
			}
			require.Equal(t, "cbor json json", c.formats())
			require.Len(t, log, 1)
			require.Contains(t, log[0], "does not take CBOR")
			require.Equal(t, wire.JSON, p.Format())
			want := put(t, one())
			require.Equal(t, want.body, c.seen[1].body)
			require.NotEmpty(t, c.seen[1].header.Get("Authorization"))
			requireSameHeaders(t, want, c.seen[1])
			s := p.Stats()
			require.Equal(t, [2]uint64{1, 2}, [2]uint64{s.CBOR, s.JSON})
			require.EqualValues(t, 3*25, s.Payload)
			require.EqualValues(t, len(c.seen[0].body)+2*len(want.body), s.Wire)
		})
	}
}

// TestNoRefusals are failures after which something may have been stored, or that have
// nothing to do with the format.
func TestNoRefusals(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(c *recorder){
		"server error": func(c *recorder) { c.then(500, jsonType, refusedJSON) },
		"garbled":      func(c *recorder) { c.then(200, cborType, "garbage") },
		"in JSON":      func(c *recorder) { c.then(200, jsonType, refusedJSON+"x") },
		"denied":       func(c *recorder) { c.then(403, jsonType, `{"__type":"AccessDeniedException"}`) },
		"throttled":    func(c *recorder) { c.then(400, cborType, "\xbff__typex&ProvisionedThroughputExceededException\xff") },
		"HTML":         func(c *recorder) { c.then(403, "text/html", "<html>") },
		"cut": func(c *recorder) {
			c.answers = append(c.answers, func(*http.Request) (*http.Response, error) { return nil, errors.New("cut") })
		},
	} {
		c := &recorder{t: t}
		fail(c)
		client, p := clientOf(c, wire.Settings{})
		_, _ = client.PutRecords(t.Context(), one())
		require.Equal(t, "cbor", c.formats(), name)
		require.Equal(t, wire.CBOR, p.Format(), name)
	}
	c := (&recorder{t: t}).then(400, jsonType, refusedJSON)
	client, _ := clientOf(c, wire.Settings{Mode: wire.OnlyJSON})
	_, err := client.PutRecords(t.Context(), one())
	require.Error(t, err)
	require.Equal(t, "json", c.formats(), "there is nothing to fall back to")
}

// TestARefusalIsNotTheLastWord has a retryer that goes on after the refusal: what its next
// try came to is not known, so nothing is sent again.
func TestARefusalIsNotTheLastWord(t *testing.T) {
	t.Parallel()
	c := (&recorder{t: t}).then(400, jsonType, refusedJSON)
	c.answers = append(c.answers, func(*http.Request) (*http.Response, error) { return nil, errors.New("cut") })
	client, p := clientOf(c, wire.Settings{}, func(o *kinesis.Options) { o.Retryer = twice{} })
	_, err := client.PutRecords(t.Context(), one())
	require.ErrorContains(t, err, "cut")
	require.Equal(t, "cbor cbor", c.formats())
	require.Equal(t, wire.JSON, p.Format())
	c.then(200, cborType, okCBOR)
}

type twice struct{ impatient }

func (twice) MaxAttempts() int { return 2 }

func TestACanceledCallIsNotSentAgain(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	c := &recorder{t: t}
	c.answers = append(c.answers, func(r *http.Request) (*http.Response, error) {
		cancel()
		return answer(r, 400, jsonType, []byte(refusedJSON)), nil
	})
	client, p := clientOf(c, wire.Settings{})
	_, err := client.PutRecords(ctx, one())
	require.Error(t, err)
	require.Equal(t, "cbor", c.formats())
	require.Equal(t, wire.JSON, p.Format())
}

// TestManyAreRefusedAtOnce has calls under way when the first is refused: all are sent
// again, and it is said once.
func TestManyAreRefusedAtOnce(t *testing.T) {
	t.Parallel()
	const calls = 20
	var all sync.WaitGroup
	all.Add(calls)
	said := make(chan string, calls)
	http := doer(func(r *http.Request) (*http.Response, error) {
		if r.Header.Get("Content-Type") == jsonType {
			return answer(r, 200, jsonType, []byte(okJSON)), nil
		}
		all.Done()
		all.Wait() // nobody knows yet
		return answer(r, 400, jsonType, []byte(refusedJSON)), nil
	})
	client, p := clientOf(http, wire.Settings{Log: func(line string) { said <- line }})
	results := make(chan error, calls)
	for range calls {
		go func() {
			_, err := client.PutRecords(t.Context(), one())
			results <- err
		}()
	}
	for range calls {
		require.NoError(t, <-results)
	}
	require.Len(t, said, 1)
	require.Equal(t, wire.Stats{JSON: calls, CBOR: calls, Payload: 2 * calls * 25, Wire: p.Stats().Wire}, p.Stats())
}
