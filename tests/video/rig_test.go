package video

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/media"
	"gst-kinesis/tests/kit"
)

const stream = "cam"

func words(line string) []string { return strings.Fields(line) }

// service is `gst-kinesis local` with a data directory: it is killed, and comes back at the same address.
type service struct {
	*testing.T
	address, dir string
	limits       string
	p            *kit.Process
}

func newService(t *testing.T, limits string) *service {
	t.Helper()
	s := &service{T: t, address: kit.Address(t), dir: filepath.Join(t.TempDir(), "service"), limits: limits}
	s.start()
	return s
}

func (s *service) start() {
	s.Helper()
	_, port, err := net.SplitHostPort(s.address)
	require.NoError(s, err)
	s.p = kit.Start(s, kit.Environ(), filepath.Join(kit.Build(s), "gst-kinesis"), "local", "--port", port, "--data-dir", s.dir, "--limits", s.limits,
		"--video-stream", stream+":24h")
	s.p.Line("endpoint-uri=")
}

// sink is the element with what it needs to find the service.
func (s *service) sink(properties string) string {
	return fmt.Sprintf("kinesisvideosink name=sink stream-name=%s aws-region=us-east-1 access-key=a secret-key=s endpoint-uri=http://%s %s", stream, s.address, properties)
}

func (s *service) client() *media.Client {
	s.Helper()
	session, err := awscfg.Open(s.Context(), awscfg.Settings{Region: "us-east-1", EndpointURI: "http://" + s.address, AccessKey: "a", SecretAccessKey: "s"},
		awscfg.Stream{Name: stream})
	require.NoError(s, err)
	s.Cleanup(session.Close)
	c := media.New(session, media.Settings{Name: stream, Repeats: true})
	s.Cleanup(c.Close)
	return c
}

// unit is an access unit that was stored: its time in ms since 1970, and which one of the film it is.
type unit struct {
	at    int64
	index int
}

// stored reads by GetMedia all that is stored, in the service's order. A fragment that is there twice is taken once, and counted: it has to
// have the producer's timestamp and the frames of one before.
func (s *service) stored(f *film) (list []unit, fragments, repeats int) {
	s.Helper()
	client, total := s.client(), 0
	for _, err := range client.ListFragments(s.Context(), media.Range{Clock: media.Producer, From: time.Now().Add(-24 * time.Hour), To: time.Now().Add(time.Hour)}) {
		require.NoError(s, err)
		total++
	}
	ctx, cancel := context.WithTimeout(s.Context(), 10*time.Minute)
	defer cancel()
	r, err := client.GetMedia(ctx, media.Earliest())
	require.NoError(s, err)
	defer r.Close()
	seen := map[int64]int{} // frames by the producer's timestamp
	for range total {
		got, err := r.Next()
		require.NoError(s, err)
		at := got.ProducerTime.UnixMilli()
		if n, twice := seen[at]; twice {
			require.Len(s, got.Frames, n, "the fragment of %d is there twice, and not the same", at)
			repeats++
			continue
		}
		seen[at] = len(got.Frames)
		fragments++
		require.True(s, got.Frames[0].Key, "a fragment begins with a key frame")
		for _, frame := range got.Frames {
			index, ok := f.units[sha256.Sum256(frame.Data)]
			require.True(s, ok, "a frame of the fragment of %d is none of the film's", at)
			list = append(list, unit{at: got.Time(&frame).UnixMilli(), index: index})
		}
	}
	return list, fragments, repeats
}

// runs takes what was stored apart into the runs that sent it, each of which began with the film's first access unit. Within a run nothing is missing,
// nothing is twice, and times are those of the film to the millisecond.
func runs(t *testing.T, list []unit) (lengths []int) {
	t.Helper()
	for i, u := range list {
		if i == 0 {
			require.Zero(t, u.index)
			lengths = []int{1}
			continue
		}
		before := list[i-1]
		require.Greater(t, u.at, before.at, "frame %d is later than the one before", i)
		if u.index == (before.index+1)%filmFrames && u.at-before.at == filmStep {
			lengths[len(lengths)-1]++
			continue
		}
		require.Zero(t, u.index, "frame %d: after unit %d, %d ms later, comes unit %d", i, before.index, u.at-before.at, u.index)
		lengths = append(lengths, 1)
	}
	return lengths
}

// figures are what a sink's metrics-address says, by name without the labels.
type figures map[string]float64

var figureLine = regexp.MustCompile(`(?m)^gst_kinesis_video_(\w+)\{[^}]*\} (\S+)$`)

// ask reads the metrics of a sink; nil while it does not answer.
func ask(address string) figures {
	c := http.Client{Timeout: 5 * time.Second}
	resp, err := c.Get("http://" + address + "/metrics")
	if err != nil {
		return nil
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil
	}
	out := figures{}
	for _, m := range figureLine.FindAllStringSubmatch(string(text), -1) {
		if v, err := strconv.ParseFloat(m[2], 64); err == nil {
			out[m[1]] += v
		}
	}
	return out
}

// until waits until the metrics satisfy a condition, and gives them.
func until(t *testing.T, p *kit.Process, address, what string, limit time.Duration, holds func(f figures) bool) figures {
	t.Helper()
	for over := time.Now().Add(limit); ; time.Sleep(20 * time.Millisecond) {
		if f := ask(address); f != nil && holds(f) {
			return f
		}
		select {
		case <-p.Done():
			t.Fatalf("%s: the sender has ended", what)
		default:
		}
		require.True(t, time.Now().Before(over), "%s: not within %v, %v", what, limit, ask(address))
	}
}

// balanced checks the books in the metrics.
func balanced(t *testing.T, f figures) {
	t.Helper()
	require.Equal(t, f["frames_received_total"], f["frames_persisted_total"]+f["frames_dropped_total"]+f["frames_skipped_total"]+f["frames_spooled"]+f["frames_pending"], "%v", f)
}

// onDisk is how many bytes the files of a folder have.
func onDisk(t *testing.T, dir string) (sum int64) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if os.IsNotExist(err) { // gone meanwhile
			return nil
		}
		if err == nil {
			sum += info.Size()
		}
		return err
	}))
	return sum
}
