package main

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/envelope"
	"gst-kinesis/internal/frame"
	"gst-kinesis/internal/intake"
	"gst-kinesis/internal/limit"
	"gst-kinesis/internal/producer"
	"gst-kinesis/internal/shard"
	"gst-kinesis/internal/wire"
)

func inputFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "stream", Usage: "the `STREAM`, by name or ARN, in place of the first argument"},
		&cli.StringFlag{Name: "format", Value: intake.Auto.String(),
			Usage: "what the input is: `FORMAT` lines, ndjson, files (each one record), length-prefixed, msgpack, bulk; auto is lines, if it is text"},
		&cli.BoolFlag{Name: "keep-newline", Usage: "leave each line its line feed"},
		&cli.BoolFlag{Name: "little-endian", Usage: "length prefixes have their lowest byte first"},
	}
}

func keyFlags() []cli.Flag {
	const category = "KEYS"
	return []cli.Flag{
		&cli.StringFlag{Name: "partition-key-mode", Category: category, DefaultText: "random; static with --key, field with --key-field",
			Usage: "how each record gets its key: `MODE` random, static, field, sensor-name or spread"},
		&cli.StringFlag{Name: "key", Category: category, Usage: "the `KEY` of all records"},
		&cli.StringFlag{Name: "key-field", Category: category, Usage: "take the key from the field at this `PATH` of each JSON or msgpack record: id, or camera.name"},
		&cli.StringFlag{Name: "sensor-name", Category: category, Usage: "the `NAME` that modes sensor-name and spread make their keys of"},
		&cli.UintFlag{Name: "shards", Category: category, DefaultText: "1; with spread as many as the stream has shards",
			Usage: "`NUMBER` of keys used in turn in modes sensor-name and spread: 3 gives name1, name2, name0"},
		&cli.StringFlag{Name: "explicit-hash-key", Category: category, Usage: "hash `KEY` of all records in place of their keys' own: a decimal number below 2^128"},
	}
}

func sendingFlags() []cli.Flag {
	const category = "SENDING"
	d := producer.Default()
	text := func(name, value, usage string) cli.Flag {
		return &cli.StringFlag{Name: name, Value: value, Usage: usage, Category: category}
	}
	duration := func(name string, value time.Duration, shown, usage string) cli.Flag {
		return &cli.DurationFlag{Name: name, Value: value, DefaultText: shown, Usage: usage, Category: category}
	}
	return []cli.Flag{
		text("ordering", d.Ordering.String(), "`ORDER` of the records of a key: best-effort, or strict"),
		text("aggregation", d.Aggregation.String(), "several records become one of Kinesis': `HOW` none, kpl, newline"),
		text("aggregate-max-size", strconv.Itoa(d.AggregateMaxSize), "largest aggregate: `SIZE` in bytes, or with KiB, MiB"),
		&cli.IntFlag{Name: "aggregate-max-count", Value: d.AggregateMaxCount, Usage: "most `RECORDS` in an aggregate", Category: category},
		text("compression", d.Compression.String(), "of each record: `CODEC` none, gzip, zstd; only readers of gst-kinesis take that apart"),
		&cli.StringFlag{Name: "max-record", Aliases: []string{"max-record-size"}, Value: "1MiB", Category: category,
			Usage: "largest record, data and key, that the stream takes: `SIZE` up to 10MiB"},
		text("oversize", d.Oversize.String(), "what happens to larger ones: `HOW` drop, error, split; only readers of gst-kinesis put parts together"),
		text("rate-limit", d.RateLimit.String(), "how much of each shard's limits is used: `LIMIT` auto, off, or a percentage"),
		text("wire", wire.Auto.String(), "how records travel: `WIRE` auto, json, cbor"),
		duration("linger", d.Linger, "", "how long a record waits for others to share a request with: `TIME`; 0 for not at all"),
		&cli.IntFlag{Name: "max-in-flight", Value: d.MaxInFlight, Usage: "most `REQUESTS` at a time", Category: category},
		duration("record-ttl", d.RecordTTL, "never", "`AGE` at which a record that was not delivered is dropped"),
		&cli.IntFlag{Name: "retry-attempts", Value: d.RetryAttempts, DefaultText: "for ever", Usage: "how `OFTEN` a record is sent again before it is dropped", Category: category},
		duration("drain-timeout", 0, "at the end of the input as long as it takes, 10s after an interrupt or --duration",
			"how long the end waits for what is left: `TIME`; then it is dropped, counted"),
	}
}

func loadFlags() []cli.Flag {
	const category = "LOAD TESTS"
	return []cli.Flag{
		&cli.StringFlag{Name: "rate", Category: category, DefaultText: "as fast as it goes",
			Usage: "read no faster than `N/s`: records a second, or bytes with a unit, such as 500kB/s"},
		&cli.StringFlag{Name: "repeat", Value: "1", Category: category, Usage: "read the input `N` times; 0 or forever: until --duration or an interrupt"},
		&cli.DurationFlag{Name: "duration", Category: category, DefaultText: "no end", Usage: "end after this `TIME`"},
	}
}

func shownFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "check", Usage: "ask at the start, by PutRecords with DryRun, whether records may be written"},
		&cli.BoolFlag{Name: "dry-run", Usage: "read the input once, print what would be sent, and send nothing"},
		&cli.BoolFlag{Name: "acks", Usage: "print a line for each accepted record: SequenceNumber=… ShardId=… PartitionKey=… Bytes=…"},
		&cli.BoolFlag{Name: "dots", Usage: "print a period for each accepted record, and no status"},
		&cli.DurationFlag{Name: "status-interval", Value: 10 * time.Second, Usage: "`TIME` between status lines where there is no terminal; 0 for none"},
	}
}

// hyphened takes names with underscores for those with hyphens.
func hyphened(s string) string { return strings.ReplaceAll(s, "_", "-") }

// producerSettings reads the flags about sending.
func producerSettings(c *cli.Context, stream awscfg.Stream) (s producer.Settings, err error) {
	s = producer.Default()
	s.Stream, s.StreamARN, s.Endpoint = stream.Name, stream.ARN, c.String("endpoint-uri")
	switch text := hyphened(c.String("ordering")); text {
	case producer.BestEffort.String():
	case producer.Strict.String():
		s.Ordering = producer.Strict
	default:
		return s, fmt.Errorf("--ordering %q is neither best-effort nor strict", text)
	}
	if s.Aggregation, err = producer.ParseAggregation(c.String("aggregation")); err != nil {
		return s, fmt.Errorf("--aggregation: %w", err)
	}
	if s.Compression, err = envelope.ParseCodec(c.String("compression")); err != nil {
		return s, fmt.Errorf("--compression: %w", err)
	}
	if s.Oversize, err = producer.ParseOversize(c.String("oversize")); err != nil {
		return s, fmt.Errorf("--oversize: %w", err)
	}
	if s.RateLimit, err = limit.ParseRate(c.String("rate-limit")); err != nil {
		return s, fmt.Errorf("--rate-limit: %w", err)
	}
	if s.AggregateMaxSize, err = sizeFlag(c, "aggregate-max-size"); err != nil {
		return s, err
	}
	if s.MaxRecordSize, err = sizeFlag(c, "max-record"); err != nil {
		return s, err
	}
	s.AggregateMaxCount, s.MaxInFlight = c.Int("aggregate-max-count"), c.Int("max-in-flight")
	s.Linger, s.RecordTTL, s.RetryAttempts = c.Duration("linger"), c.Duration("record-ttl"), c.Int("retry-attempts")
	s.RequestTimeout = c.Duration("request-timeout")
	s.DrainTimeout = -1
	if c.IsSet("drain-timeout") {
		if s.DrainTimeout = c.Duration("drain-timeout"); s.DrainTimeout < 0 {
			return s, errors.New("--drain-timeout must not be negative")
		}
	}
	return s, s.Validate()
}

func sizeFlag(c *cli.Context, name string) (int, error) {
	n, err := parseSize(c.String(name))
	if err != nil || n > math.MaxInt32 {
		return 0, fmt.Errorf("--%s %q is no size: give bytes, or a number with KiB or MiB", name, c.String(name))
	}
	return int(n), nil
}

// recordKeys give each record its keys.
type recordKeys struct {
	mode     shard.Mode
	shards   uint
	keyer    *shard.Keyer
	sensor   string
	hash     string             // explicit, of all records
	producer *producer.Producer // knows the shards; nil where nothing is sent
}

// newRecordKeys reads the flags about keys.
func newRecordKeys(c *cli.Context) (*recordKeys, error) {
	k := &recordKeys{shards: c.Uint("shards"), sensor: c.String("sensor-name"), hash: c.String("explicit-hash-key")}
	key, path := c.String("key"), c.String("key-field")
	var err error
	if k.mode, err = keyMode(c.String("partition-key-mode"), key, path); err != nil {
		return nil, err
	}
	named := k.mode == shard.SensorName || k.mode == shard.Spread
	switch {
	case named && k.sensor == "":
		return nil, fmt.Errorf("--partition-key-mode %s needs --sensor-name, which its keys are made of", k.mode)
	case !named && (k.sensor != "" || k.shards != 0):
		return nil, fmt.Errorf("--sensor-name and --shards go with --partition-key-mode sensor-name or spread, not %s", k.mode)
	case k.hash != "" && k.mode == shard.Spread:
		return nil, errors.New("--partition-key-mode spread chooses hash keys itself: leave --explicit-hash-key out, or take another mode")
	case k.shards > shard.MaxRotation:
		return nil, fmt.Errorf("--shards %d is more than %d", k.shards, shard.MaxRotation)
	}
	if k.hash != "" {
		if _, err := shard.ParseHash(k.hash); err != nil {
			return nil, fmt.Errorf("--explicit-hash-key %q: %w", k.hash, err)
		}
	}
	set := shard.KeyerSettings{Mode: k.mode, Key: key, Shards: int(k.shards), Map: k.shardMap} //nolint:gosec // bounded above
	if k.mode == shard.Field {
		set.Field = func(data []byte) (string, error) { return frame.Text(data, path) }
	}
	k.keyer, err = shard.NewKeyer(set)
	return k, err
}

// keyMode chooses the mode; --key and --key-field imply theirs.
func keyMode(text, key, path string) (shard.Mode, error) {
	mode := shard.Random
	switch {
	case key != "" && path != "":
		return 0, errors.New("--key is one key for all records and --key-field one of each: give one of them")
	case text != "":
		var err error
		if mode, err = shard.ParseMode(text); err != nil {
			return 0, fmt.Errorf("--partition-key-mode: %w", err)
		}
	case key != "":
		mode = shard.Static
	case path != "":
		mode = shard.Field
	}
	switch {
	case (mode == shard.Static) != (key != ""):
		return 0, fmt.Errorf("--key and --partition-key-mode static go together, and the mode is %s", mode)
	case (mode == shard.Field) != (path != ""):
		return 0, fmt.Errorf("--key-field and --partition-key-mode field go together, and the mode is %s", mode)
	}
	return mode, nil
}

func (k *recordKeys) shardMap() *shard.Map {
	if k.producer == nil {
		return nil
	}
	return k.producer.Shards()
}

// next gives the keys of a record.
func (k *recordKeys) next(data []byte) (shard.Key, error) {
	key, err := k.keyer.Next(k.sensor, data)
	if k.hash != "" {
		key.Hash = k.hash
	}
	return key, err
}

// mixesOrder says what strict order does not mean with these keys; empty where there is nothing to say.
func (k *recordKeys) mixesOrder(o producer.Ordering) string {
	several := k.mode == shard.Random || k.mode == shard.Spread && k.shards != 1 || k.mode == shard.SensorName && k.shards > 1
	if o != producer.Strict || !several {
		return ""
	}
	return "strict order is that of the records of one key, and here they have several: give --key or --key-field if they are to be read in order"
}
