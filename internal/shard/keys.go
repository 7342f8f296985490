package shard

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"unicode/utf8"
)

// Errors of keys. They are the record's own fault, never the stream's.
var (
	ErrKeyEmpty   = errors.New("a partition key has at least 1 character")
	ErrKeyTooLong = fmt.Errorf("a partition key has at most %d characters", MaxPartitionKeyChars)
	ErrKeyNotUTF8 = errors.New("a partition key is valid UTF-8")
)

// ValidateKey checks a partition key: 1 to 256 Unicode characters (code points,
// not bytes) of valid UTF-8. It allocates nothing.
func ValidateKey(key string) error {
	switch {
	case key == "":
		return ErrKeyEmpty
	case !utf8.ValidString(key):
		return ErrKeyNotUTF8
	case len(key) > MaxPartitionKeyChars && utf8.RuneCountInString(key) > MaxPartitionKeyChars:
		return ErrKeyTooLong
	default:
		return nil
	}
}

// Mode is a way of choosing partition keys.
type Mode int

// The modes.
const (
	// SensorName appends a counter to the sensor's name: N keys used in turn.
	SensorName Mode = iota
	// Random makes each key a UUID of version 4.
	Random
	// Static uses one key for all records.
	Static
	// Spread uses N keys in turn, with explicit hash keys that lie on N different
	// shards.
	Spread
	// Field takes the key from the record: from its payload, or from what came with it.
	Field
)

// String returns the mode's name as a property value, with a hyphen.
func (m Mode) String() string {
	switch m {
	case SensorName:
		return "sensor-name"
	case Random:
		return "random"
	case Static:
		return "static"
	case Spread:
		return "spread"
	case Field:
		return "field"
	default:
		return "Mode(" + strconv.Itoa(int(m)) + ")"
	}
}

// ParseMode reads a mode's name; sensor_name is taken as well as sensor-name.
func ParseMode(s string) (Mode, error) {
	switch s {
	case "sensor-name", "sensor_name":
		return SensorName, nil
	case "random":
		return Random, nil
	case "static":
		return Static, nil
	case "spread":
		return Spread, nil
	case "field":
		return Field, nil
	default:
		return 0, fmt.Errorf("reading a partition-key mode: %q is none of sensor-name, random, static, spread, field", s)
	}
}

const (
	// MaxRotation is the most keys a sensor's rotation may have.
	MaxRotation = 10000
	// maxSensors and maxCachedKeys bound what a Keyer remembers.
	maxSensors    = 16384
	maxCachedKeys = 65536
	// uuidLen and uuidBatch: UUIDs are drawn in batches that share one string.
	uuidLen   = 36
	uuidBatch = 64
)

// KeyerSettings choose how a Keyer makes keys.
type KeyerSettings struct {
	Mode Mode
	// Key is the key of mode Static.
	Key string
	// Shards is the number of keys per sensor in modes SensorName and Spread, from 1
	// to MaxRotation; 0 means 1, and in mode Spread as many as the stream has shards.
	// In mode SensorName it is not the stream's number of shards.
	Shards int
	// Map gives the stream's shards for mode Spread, nil while they are not known:
	// then an even division stands in for them.
	Map func() *Map
	// Field finds the key in a record's payload in mode Field; nil takes the name
	// that Next is given.
	Field func(data []byte) (string, error)
	// Random is where UUIDs come from; nil means crypto/rand.
	Random io.Reader
}

// Keyer makes partition keys. It may be used by several goroutines at once.
type Keyer struct {
	settings KeyerSettings

	mu      sync.Mutex
	sensors map[string]*rotation
	cached  int    // key strings held by all rotations
	uuids   string // what is left of the last batch
	spread  spread
}

// Key is what places a record.
type Key struct {
	// Partition is the partition key.
	Partition string
	// Hash is the explicit hash key, empty where the partition key alone decides.
	Hash string
}

// rotation is one sensor's counter, with its key strings kept.
type rotation struct {
	counter int
	keys    []string
}

// NewKeyer checks the settings and returns a Keyer.
func NewKeyer(s KeyerSettings) (*Keyer, error) {
	if s.Shards == 0 && s.Mode != Spread {
		s.Shards = 1
	}
	if s.Random == nil {
		s.Random = rand.Reader
	}
	switch s.Mode {
	case SensorName:
		if s.Shards < 1 || s.Shards > MaxRotation {
			return nil, fmt.Errorf("choosing partition keys: shards=%d is not within 1..%d", s.Shards, MaxRotation)
		}
	case Static:
		if err := ValidateKey(s.Key); err != nil {
			return nil, fmt.Errorf("choosing the static partition key: %w", err)
		}
	case Spread:
		if s.Shards < 0 || s.Shards > MaxRotation {
			return nil, fmt.Errorf("choosing partition keys: shards=%d is not within 0..%d", s.Shards, MaxRotation)
		}
	case Random, Field:
	default:
		return nil, fmt.Errorf("choosing partition keys: unknown mode %d", int(s.Mode))
	}
	return &Keyer{settings: s, sensors: make(map[string]*rotation)}, nil
}

// Next returns the key of the next record of a sensor, whose payload only mode Field
// looks at. What makes no key is the record's own fault: a name that is empty or
// too long gives an error wrapping ErrKeyEmpty or ErrKeyTooLong. In the steady state
// it allocates nothing, in mode Random one string for 64 keys.
func (k *Keyer) Next(sensor string, data []byte) (key Key, err error) {
	switch k.settings.Mode {
	case Static:
		key.Partition = k.settings.Key
	case Random:
		key.Partition, err = k.nextUUID()
	case Spread:
		return k.nextSpread(sensor)
	case Field:
		key.Partition, err = k.nextOfField(sensor, data)
	default:
		key.Partition, err = k.nextInRotation(sensor)
	}
	return key, err
}

func (k *Keyer) nextOfField(name string, data []byte) (string, error) {
	if k.settings.Field != nil {
		var err error
		if name, err = k.settings.Field(data); err != nil {
			return "", err
		}
	}
	if err := ValidateKey(name); err != nil {
		return "", fmt.Errorf("making a key of a field: %w", err)
	}
	return name, nil
}

// nextInRotation counts first and then wraps, so that a rotation over N keys
// begins with name1 and a rotation over one key is always name0.
func (k *Keyer) nextInRotation(sensor string) (string, error) {
	if sensor == "" {
		return "", fmt.Errorf("making a key of the sensor's name: %w", ErrKeyEmpty)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	r := k.sensors[sensor]
	if r == nil {
		if len(sensor) > utf8.UTFMax*MaxPartitionKeyChars { // never a valid key: do not remember it
			return "", fmt.Errorf("making a key of the sensor's name: %w", ErrKeyTooLong)
		}
		r = k.remember(sensor)
	}
	r.counter++
	if r.counter%k.settings.Shards == 0 {
		r.counter = 0
	}
	return k.keyOf(sensor, r)
}

func (k *Keyer) keyOf(sensor string, r *rotation) (string, error) {
	if r.counter < len(r.keys) && r.keys[r.counter] != "" {
		return r.keys[r.counter], nil
	}
	key := sensor + strconv.Itoa(r.counter)
	if err := ValidateKey(key); err != nil {
		return "", fmt.Errorf("making a key of the sensor's name: %w", err)
	}
	if r.keys == nil && k.cached+k.settings.Shards <= maxCachedKeys {
		r.keys = make([]string, k.settings.Shards)
		k.cached += k.settings.Shards
	}
	if r.counter < len(r.keys) {
		r.keys[r.counter] = key
	}
	return key, nil
}

// remember begins a rotation. When there are too many sensors some other one is
// forgotten, whose rotation then begins anew: memory stays bounded.
func (k *Keyer) remember(sensor string) *rotation {
	if len(k.sensors) >= maxSensors {
		for name, r := range k.sensors {
			k.cached -= len(r.keys)
			delete(k.sensors, name)
			break
		}
	}
	r := new(rotation)
	k.sensors[string([]byte(sensor))] = r // a copy: the caller's string may be a slice of much more
	return r
}

func (k *Keyer) nextUUID() (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.uuids == "" {
		batch, err := drawUUIDs(k.settings.Random)
		if err != nil {
			return "", fmt.Errorf("drawing a random partition key: %w", err)
		}
		k.uuids = batch
	}
	key := k.uuids[:uuidLen]
	k.uuids = k.uuids[uuidLen:]
	return key, nil
}

// drawUUIDs returns uuidBatch UUIDs of version 4 (RFC 9562), one after another.
func drawUUIDs(random io.Reader) (string, error) {
	var raw [16 * uuidBatch]byte
	if _, err := io.ReadFull(random, raw[:]); err != nil {
		return "", err
	}
	text := make([]byte, 0, uuidLen*uuidBatch)
	for i := range uuidBatch {
		u := raw[16*i : 16*i+16]
		u[6] = u[6]&0x0f | 0x40 // version 4
		u[8] = u[8]&0x3f | 0x80 // variant of the RFC
		text = appendUUID(text, u)
	}
	return string(text), nil
}

func appendUUID(text, u []byte) []byte {
	const digits = "0123456789abcdef"
	for i, b := range u {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			text = append(text, '-')
		}
		text = append(text, digits[b>>4], digits[b&0x0f])
	}
	return text
}
