package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/control"
	"gst-kinesis/internal/deadletter"
	"gst-kinesis/internal/places"
	"gst-kinesis/internal/producer"
	"gst-kinesis/internal/shard"
	"gst-kinesis/internal/spool"
	"gst-kinesis/internal/uplink"
)

// keptFlags say what becomes of what cannot be delivered.
func keptFlags() []cli.Flag {
	const category = "OUTAGES"
	text := func(name, value, usage string) cli.Flag {
		return &cli.StringFlag{Name: name, Value: value, Usage: usage, Category: category}
	}
	return []cli.Flag{
		text("spool-directory", "", "keep records in this `DIR` until they are delivered, over outages and restarts; what an earlier run left there is sent first"),
		text("spool-max-bytes", "1GiB", "most `BYTES` on disk there; then reading waits"),
		&cli.DurationFlag{Name: "spool-max-age", Category: category, DefaultText: "never", Usage: "`AGE` at which what is there is dropped"},
		text("spool-sync", spool.SyncInterval.String(), "`WHEN` it is forced to the disk: always (before a record counts as accepted), interval (once a second), none"),
	}
}

// linkFlags are the flags of all that sends by a producer.
func linkFlags(category string) []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "dead-letter", Category: category, DefaultText: "it is dropped",
			Usage: "write down what can never be delivered, for gst-kinesis redrive: `PLACE` " + deadletter.Forms},
		&cli.StringFlag{Name: "max-bandwidth", Category: category, DefaultText: "no bound",
			Usage: "most bits a second on the wire, on the average: `RATE` such as 500k or 2Mbit/s"},
	}
}

// link reads linkFlags.
func (pr *production) link(c *cli.Context) (err error) {
	if text := c.String("max-bandwidth"); text != "" {
		if pr.bandwidth, err = parseBandwidth(text); err != nil {
			return fmt.Errorf("--max-bandwidth: %w", err)
		}
	}
	pr.places.DeadLetter = c.String("dead-letter")
	if pr.places.DeadLetter == "" {
		return nil
	}
	pr.letters, err = deadletter.Parse(pr.places.DeadLetter)
	if err != nil {
		return fmt.Errorf("--dead-letter: %w", err)
	}
	return nil
}

// keep reads keptFlags.
func (pr *production) keep(c *cli.Context) (err error) {
	set := &pr.places
	set.SpoolDirectory, set.SpoolSync, set.SpoolMaxAge = c.String("spool-directory"), c.String("spool-sync"), c.Duration("spool-max-age")
	for _, name := range []string{"spool-max-bytes", "spool-max-age", "spool-sync"} {
		if c.IsSet(name) && set.SpoolDirectory == "" {
			return fmt.Errorf("--%s goes with --spool-directory", name)
		}
	}
	if set.SpoolMaxBytes, err = parseSize(c.String("spool-max-bytes")); err != nil || set.SpoolMaxBytes < shard.MiB {
		return fmt.Errorf("--spool-max-bytes %q is no size of 1MiB or more", c.String("spool-max-bytes"))
	}
	if _, err = spool.ParseSync(set.SpoolSync); err != nil {
		return fmt.Errorf("--spool-sync: %w", err)
	}
	if set.SpoolMaxAge < 0 {
		return errors.New("--spool-max-age must not be negative")
	}
	return nil
}

// bitUnits are what a number of bits a second may end in; as with networks a thousand is 1000.
func bitUnits() map[string]float64 {
	return map[string]float64{"": 1, "k": 1e3, "m": 1e6, "g": 1e9}
}

// parseBandwidth reads bits a second: 500000, 500k, 2M, 2Mbit/s, 2 Mbps.
func parseBandwidth(text string) (uint64, error) {
	number := strings.ToLower(strings.TrimSpace(text))
	for _, unit := range []string{"bit/s", "bits/s", "bps", "b/s", "bit"} {
		if rest, ok := strings.CutSuffix(number, unit); ok {
			number = strings.TrimSpace(rest)
			break
		}
	}
	factor := 1.0
	for name, of := range bitUnits() {
		if rest, ok := strings.CutSuffix(number, name); ok && name != "" {
			number, factor = strings.TrimSpace(rest), of
			break
		}
	}
	f, err := strconv.ParseFloat(number, 64)
	if bits := f * factor; err == nil && bits >= 1 && bits < math.MaxInt64 && !strings.Contains(text, "B") {
		return uint64(bits), nil
	}
	return 0, fmt.Errorf("%q is no bandwidth: give bits a second, such as 500k, 2M or 2Mbit/s", text)
}

// way is an open way to a stream, with all that goes with it.
type way struct {
	producer *producer.Producer
	session  *awscfg.Session
	places   *places.Places
	share    *uplink.Share
}

// close closes what is behind the producer, after the producer's Close. The error is that of the places.
func (w *way) close() error {
	err := w.places.Close()
	w.session.Close()
	w.share.Leave()
	return err
}

// openWay opens the way to the service, without speaking to it yet, and starts the producer.
func (p *program) openWay(c *cli.Context, pr *production, v *produceView) (*way, error) {
	w := &way{share: new(uplink.Links).Join("")}
	w.share.SetBandwidth(pr.bandwidth)
	set, err := settingsOf(c, pr.stream)
	if err != nil {
		return nil, err
	}
	set.Wire, set.MaxConnections, set.Conn = pr.wire, pr.settings.MaxInFlight, w.share.Conn
	set.Notice = func(text string) { v.Noticed(producer.Notice{Text: text}) }
	// Not the command's context: an interrupt must not keep what was read from being delivered.
	ctx := context.Background()
	if w.session, err = awscfg.Open(ctx, set, pr.stream); err != nil {
		return nil, err
	}
	pr.settings.Region = w.session.Region()
	kept := pr.places
	kept.Stream, kept.Region, kept.AWS, kept.Log = pr.stream.String(), w.session.Region(), set, v.log
	if w.places, err = places.Open(ctx, kept); err != nil {
		w.session.Close()
		return nil, pr.explain(err)
	}
	if s := w.places.Spool(); s != nil {
		pr.left = s.Stats()
	}
	client := w.session.Kinesis()
	options := append(w.places.Options(),
		producer.WithCredentials(w.session.CheckCredentials, w.session.RefreshCredentials),
		producer.WithUplink(w.share),
		producer.WithShards(func(ctx context.Context) ([]shard.Shard, error) {
			return control.OpenShards(ctx, client, pr.stream.Name, pr.stream.ARN)
		}))
	if pr.askLargest {
		options = append(options, producer.WithRecordLimit(func(ctx context.Context) (int, error) {
			return control.LargestRecord(ctx, client, pr.stream.Name, pr.stream.ARN)
		}))
	}
	if c.Bool("check") {
		options = append(options, producer.WithCheck())
	}
	if w.producer, err = producer.New(client, pr.settings, v, options...); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

// explain says what to do about a spool that is somebody else's.
func (pr *production) explain(err error) error {
	var used *spool.InUseError
	if !pr.draining || !errors.As(err, &used) {
		return err
	}
	owner := "another process"
	if used.PID > 0 {
		owner = fmt.Sprintf("process %d", used.PID)
	}
	return fmt.Errorf("spool drain: %s is in use by %s, which sends what is in it by itself; end that first (gst-kinesis spool inspect looks without disturbing)", used.Directory, owner)
}

// tellLeft says where records are that were not delivered and are not lost.
func (pr *production) tellLeft(v *produceView, b producer.Books) {
	if n := b.Spooled; n.Records > 0 {
		drain := "gst-kinesis spool drain " + shellWord(pr.places.SpoolDirectory) + " --stream " + shellWord(pr.stream.String())
		text := "records are still in the spool, not lost: the next run with this spool sends them first, or send them by hand"
		if pr.draining {
			text = "records are still in the spool, not lost: run this again, or let a sink with this spool send them"
		}
		v.log.Warn(text,
			"records", n.Records, "bytes", n.Bytes, "directory", pr.places.SpoolDirectory, "by-hand", drain)
	}
	if n := b.DeadLettered; n.Records > 0 {
		v.log.Warn("records could not be delivered and are dead letters now: remove the cause, then send them again",
			"records", n.Records, "bytes", n.Bytes, "place", pr.letters.String(), "again", "gst-kinesis redrive "+shellWord(pr.letters.String()))
	}
}

// shellWord quotes a word for a shell where that is needed.
func shellWord(word string) string {
	plain := func(c rune) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-_./:,+@%", c)
	}
	if word != "" && !strings.ContainsFunc(word, func(c rune) bool { return !plain(c) }) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// grace is how long what was read is drained after an interrupt, and after --duration, unless --drain-timeout says another time.
// At the end of the input nobody is in a hurry: it takes as long as the stream's shards need for what is left. What is in a spool
// is safe, so draining it by hand ends at once.
func (pr *production) grace() time.Duration {
	if pr.draining {
		return 0
	}
	return interruptedDrain
}
