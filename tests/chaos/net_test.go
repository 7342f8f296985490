package chaos

import (
	"context"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/awscfg"
	"gst-kinesis/tests/kit"
)

// relay stands between producer and endpoint and may cut connections after some bytes, whichever way they go.
type relay struct {
	listener net.Listener
	to       atomic.Value // string
	cutting  atomic.Bool
	cuts     atomic.Int64
	running  sync.WaitGroup

	mu   sync.Mutex
	open map[net.Conn]bool
	over bool
}

func newRelay(t *testing.T) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	y := &relay{listener: l, open: map[net.Conn]bool{}}
	y.running.Go(y.accept)
	t.Cleanup(func() {
		_ = l.Close()
		y.mu.Lock()
		y.over = true
		for c := range y.open {
			_ = c.Close()
		}
		y.mu.Unlock()
		y.running.Wait()
	})
	return y
}

func (y *relay) accept() {
	for {
		near, err := y.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", y.to.Load().(string))
		if err != nil {
			_ = near.Close()
			continue
		}
		y.mu.Lock()
		if y.over {
			_, _ = near.Close(), far.Close()
		}
		y.open[near], y.open[far] = true, true
		y.mu.Unlock()
		end := sync.OnceFunc(func() { y.end(near, far) })
		y.running.Go(func() { y.carry(far, near, end) })
		y.running.Go(func() { y.carry(near, far, end) })
	}
}

// end cuts a connection on both sides, as the loss of a line does.
func (y *relay) end(conns ...net.Conn) {
	y.mu.Lock()
	defer y.mu.Unlock()
	for _, c := range conns {
		_ = c.(*net.TCPConn).SetLinger(0)
		_ = c.Close()
		delete(y.open, c)
	}
}

// carry copies one way. While the relay cuts, each time that some bytes have passed is the last.
func (y *relay) carry(to io.Writer, from io.Reader, end func()) {
	defer end()
	buf := make([]byte, 4<<10)
	for budget := budgetOf(); ; {
		n, err := from.Read(buf)
		if y.cutting.Load() {
			if budget -= n; budget <= 0 {
				_, _ = to.Write(buf[:max(0, n+budget)])
				y.cuts.Add(1)
				return
			}
		}
		if _, wrong := to.Write(buf[:n]); wrong != nil || err != nil {
			return
		}
	}
}

// budgetOf is how many bytes may pass: a few requests at most, often less than one.
func budgetOf() int { return 1 + rand.IntN(1<<(10+rand.IntN(6))) }

// throughRelay lets the producer's connections go through a relay.
func throughRelay(r *rig, s *setup) {
	y := newRelay(r.T)
	s.aws.EndpointURI = "http://" + y.listener.Addr().String()
	s.session = func(r *rig) { y.to.Store(r.srv.Addr()) }
	r.helper = y
}

// cutAnywhere lets the relay cut: in the header, in the body, in the answer.
func cutAnywhere(r *rig, lasts time.Duration) func() {
	y := r.helper.(*relay)
	y.cutting.Store(true)
	time.Sleep(lasts)
	kit.Until(r, "connections were cut", func() bool { return y.cuts.Load() >= 3 })
	return func() { y.cutting.Store(false) }
}

// hostName is a name that only the test's own name server knows.
const hostName = "kinesis.chaos.test"

// nameServer answers questions for addresses over UDP, or says that there is no such name.
type nameServer struct {
	conn    net.PacketConn
	gone    atomic.Bool
	refused atomic.Int64 // questions answered with "no such name"
	running sync.WaitGroup
}

func newNameServer(t *testing.T) *nameServer {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &nameServer{conn: conn}
	s.running.Go(s.serve)
	t.Cleanup(func() {
		_ = conn.Close()
		s.running.Wait()
	})
	return s
}

func (s *nameServer) serve() {
	buf := make([]byte, 1500)
	for {
		n, from, err := s.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		if a := s.answer(buf[:n]); a != nil {
			_, _ = s.conn.WriteTo(a, from)
		}
	}
}

// answer makes the answer to a message with one question (RFC 1035, section 4): for the name's IPv4 address 127.0.0.1, for any other kind of record
// none, and while it is gone or for other names code 3, "no such name".
func (s *nameServer) answer(q []byte) []byte {
	const header = 12
	end := header
	var labels []string
	for end < len(q) && q[end] != 0 {
		n := int(q[end])
		if end+1+n > len(q) {
			return nil
		}
		labels = append(labels, string(q[end+1:end+1+n]))
		end += 1 + n
	}
	end += 1 + 4 // the root, type, class
	if end > len(q) {
		return nil
	}
	kind := binary.BigEndian.Uint16(q[end-4:])
	a := append([]byte{}, q[:end]...)
	a[2], a[3] = 0x84|q[2]&1, 0x80 // an answer, of who should know; recursion as asked
	clear(a[6:header])
	switch known := strings.EqualFold(strings.Join(labels, "."), hostName); {
	case !known || s.gone.Load():
		a[3] |= 3
		s.refused.Add(1)
	case kind == 1:
		a[7] = 1
		a = append(a, 0xc0, header, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1)
	}
	return a
}

// throughDNS lets the producer find the endpoint by a name, asked of a name server of the test.
func throughDNS(r *rig, s *setup) {
	names := newNameServer(r.T)
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", names.conn.LocalAddr().String())
	}}
	r.srv = endpoint(r.T, s.server)
	_, port, err := net.SplitHostPort(r.srv.Addr())
	require.NoError(r, err)
	s.aws.EndpointURI = "http://" + net.JoinHostPort(hostName, port)
	s.client = func(o *kinesis.Options) {
		transport := r.session.Transport()
		transport.DialContext = (&net.Dialer{Timeout: 5 * time.Second, Resolver: resolver}).DialContext
		r.Cleanup(transport.CloseIdleConnections)
		o.HTTPClient = awscfg.Steady(&http.Client{Transport: transport})
	}
	r.helper = names
}

// dnsGone lets the name server forget the name; connections that are open are cut, as those that a router carried are.
func dnsGone(r *rig, lasts time.Duration) func() {
	names := r.helper.(*nameServer)
	names.gone.Store(true)
	r.srv.Stop()
	require.NoError(r, r.srv.Start())
	time.Sleep(lasts)
	kit.Until(r, "the name was asked for", func() bool { return names.refused.Load() > 0 })
	return func() { names.gone.Store(false) }
}
