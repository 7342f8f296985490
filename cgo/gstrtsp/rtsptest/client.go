// Package rtsptest is a small RTSP reader for tests: it shows what a camera really sends, packet by packet, where
// gst-launch and ffprobe show only what they made of it. RFC 2326 with RTP interleaved in the connection or by UDP, digest
// and basic authentication, sender reports. Pure Go; it decodes nothing.
package rtsptest

import (
	"bufio"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// requestTimeout bounds one request and its answer.
const requestTimeout = 20 * time.Second

// Options say how to look.
type Options struct {
	UDP            bool
	User, Password string
	Basic          bool // answer a challenge by basic instead of digest authentication
}

// A Stream is one m= section of the session description.
type Stream struct {
	Media   string // video or audio
	Codec   string // of a=rtpmap, e.g. H264
	Clock   int    // clock rate of the RTP timestamps
	Control string
}

// StatusError is an answer other than 200.
type StatusError struct {
	Code   int
	Method string
}

func (e *StatusError) Error() string { return fmt.Sprintf("%s: status %d", e.Method, e.Code) }

// A Client is one RTSP session. Dial, Play and Close are for one goroutine.
type Client struct {
	opts    Options
	url     *url.URL
	conn    net.Conn
	out     sync.Mutex
	cseq    int
	session string
	auth    string // challenge
	answers chan answer
	packets chan Packet
	done    chan struct{} // closed when the connection ends
	udp     []*net.UDPConn
	readers sync.WaitGroup

	Streams []Stream
}

type answer struct {
	code   int
	header textproto.MIMEHeader
	body   string
}

// Dial connects and asks for the description.
func Dial(rawURL string, opts Options) (*Client, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, err
	}
	conn, err := net.DialTimeout("tcp", u.Host, requestTimeout)
	if err != nil {
		return nil, err
	}
	c := &Client{
		opts: opts, url: u, conn: conn,
		answers: make(chan answer, 1), packets: make(chan Packet, 4096), done: make(chan struct{}),
	}
	c.readers.Add(1)
	go c.readConnection()
	a, err := c.request("DESCRIBE", rawURL, "Accept", "application/sdp")
	if err != nil {
		c.Drop()
		return nil, err
	}
	c.parseSDP(a.body, rawURL)
	return c, nil
}

// parseSDP takes what a reader needs of RFC 4566.
func (c *Client) parseSDP(sdp, base string) {
	for line := range strings.Lines(sdp) {
		line = strings.TrimSpace(line)
		if media, ok := strings.CutPrefix(line, "m="); ok {
			kind, _, _ := strings.Cut(media, " ")
			c.Streams = append(c.Streams, Stream{Media: kind, Clock: 90000})
		}
		if len(c.Streams) == 0 {
			continue
		}
		s := &c.Streams[len(c.Streams)-1]
		if control, ok := strings.CutPrefix(line, "a=control:"); ok {
			s.Control = control
			if !strings.HasPrefix(control, "rtsp://") {
				s.Control = strings.TrimSuffix(base, "/") + "/" + control
			}
		}
		if m, ok := strings.CutPrefix(line, "a=rtpmap:"); ok {
			if f := strings.FieldsFunc(m, func(r rune) bool { return r == ' ' || r == '/' }); len(f) >= 3 {
				s.Codec = f[1]
				s.Clock, _ = strconv.Atoi(f[2])
			}
		}
	}
}

// Play sets the streams of these kinds up (all if none is named) and starts them.
func (c *Client) Play(kinds ...string) error {
	for i, s := range c.Streams {
		if len(kinds) > 0 && !hasString(kinds, s.Media) {
			continue
		}
		transport := fmt.Sprintf("RTP/AVP/TCP;unicast;interleaved=%d-%d", 2*i, 2*i+1)
		if c.opts.UDP {
			port, err := c.listenPair(i)
			if err != nil {
				return err
			}
			transport = fmt.Sprintf("RTP/AVP;unicast;client_port=%d-%d", port, port+1)
		}
		a, err := c.request("SETUP", s.Control, "Transport", transport)
		if err != nil {
			return err
		}
		c.session, _, _ = strings.Cut(a.header.Get("Session"), ";")
	}
	_, err := c.request("PLAY", c.url.String(), "Range", "npt=now-")
	return err
}

// Pause pauses the session; Play with no new streams cannot be used after it, Resume can.
func (c *Client) Pause() error {
	_, err := c.request("PAUSE", c.url.String())
	return err
}

// Resume plays again after Pause.
func (c *Client) Resume() error {
	_, err := c.request("PLAY", c.url.String(), "Range", "npt=now-")
	return err
}

func hasString(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

// Close says goodbye and closes.
func (c *Client) Close() error {
	var err error
	if c.session != "" {
		_, err = c.request("TEARDOWN", c.url.String())
	}
	c.Drop()
	return err
}

// Drop closes the connection without a word, as a client that dies does.
func (c *Client) Drop() {
	c.conn.Close()
	for _, u := range c.udp {
		u.Close()
	}
	c.readers.Wait()
}

// request sends a request and waits for its answer; once more with credentials if it is challenged.
func (c *Client) request(method, target string, headers ...string) (answer, error) {
	for try := range 2 {
		if err := c.send(method, target, headers); err != nil {
			return answer{}, err
		}
		a, err := c.await(method)
		if err != nil {
			return a, err
		}
		if a.code == 401 && try == 0 && c.opts.User != "" {
			c.auth = c.pickChallenge(a.header["Www-Authenticate"])
			continue
		}
		if a.code != 200 {
			return a, &StatusError{Code: a.code, Method: method}
		}
		return a, nil
	}
	return answer{}, errors.New("not reached")
}

func (c *Client) send(method, target string, headers []string) error {
	c.out.Lock()
	defer c.out.Unlock()
	c.cseq++
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s RTSP/1.0\r\nCSeq: %d\r\n", method, target, c.cseq)
	for i := 0; i+1 < len(headers); i += 2 {
		fmt.Fprintf(&b, "%s: %s\r\n", headers[i], headers[i+1])
	}
	if c.session != "" {
		fmt.Fprintf(&b, "Session: %s\r\n", c.session)
	}
	if c.auth != "" {
		fmt.Fprintf(&b, "Authorization: %s\r\n", c.credentials(method, target))
	}
	b.WriteString("\r\n")
	c.conn.SetWriteDeadline(time.Now().Add(requestTimeout))
	_, err := io.WriteString(c.conn, b.String())
	return err
}

func (c *Client) await(method string) (answer, error) {
	select {
	case a := <-c.answers:
		return a, nil
	case <-c.done:
		return answer{}, fmt.Errorf("%s: the connection ended", method)
	case <-time.After(requestTimeout):
		return answer{}, fmt.Errorf("%s: no answer", method)
	}
}

func (c *Client) pickChallenge(challenges []string) string {
	want := "Digest"
	if c.opts.Basic {
		want = "Basic"
	}
	for _, ch := range challenges {
		if strings.HasPrefix(ch, want) {
			return ch
		}
	}
	return ""
}

// credentials answers the challenge: RFC 2617, digest without qop, as RTSP has it.
func (c *Client) credentials(method, target string) string {
	if c.opts.Basic {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(c.opts.User+":"+c.opts.Password))
	}
	field := func(name string) string {
		m := regexp.MustCompile(name + `="([^"]*)"`).FindStringSubmatch(c.auth)
		if m == nil {
			return ""
		}
		return m[1]
	}
	hash := func(s string) string { return fmt.Sprintf("%x", md5.Sum([]byte(s))) }
	realm, nonce := field("realm"), field("nonce")
	response := hash(hash(c.opts.User+":"+realm+":"+c.opts.Password) + ":" + nonce + ":" + hash(method+":"+target))
	return fmt.Sprintf(`Digest username="%s", realm="%s", nonce="%s", uri="%s", response="%s"`,
		c.opts.User, realm, nonce, target, response)
}

// readConnection tells answers from interleaved packets until the connection ends.
func (c *Client) readConnection() {
	defer c.readers.Done()
	defer close(c.done)
	r := bufio.NewReaderSize(c.conn, 1<<16)
	for {
		first, err := r.Peek(1)
		if err != nil {
			return
		}
		if first[0] == '$' {
			err = c.readInterleaved(r)
		} else {
			err = c.readAnswer(r)
		}
		if err != nil {
			return
		}
	}
}

func (c *Client) readAnswer(r *bufio.Reader) error {
	t := textproto.NewReader(r)
	status, err := t.ReadLine()
	if err != nil {
		return err
	}
	header, err := t.ReadMIMEHeader()
	if err != nil {
		return err
	}
	a := answer{header: header}
	if f := strings.Fields(status); len(f) >= 2 {
		a.code, _ = strconv.Atoi(f[1])
	}
	n, _ := strconv.Atoi(header.Get("Content-Length"))
	body := make([]byte, n)
	if _, err := io.ReadFull(r, body); err != nil {
		return err
	}
	a.body = string(body)
	c.answers <- a
	return nil
}

func (c *Client) readInterleaved(r *bufio.Reader) error {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return err
	}
	p := make([]byte, int(head[2])<<8|int(head[3]))
	if _, err := io.ReadFull(r, p); err != nil {
		return err
	}
	c.deliver(int(head[1]), p)
	return nil
}
