package mkv

// Limits bound what a stream can make a [Reader] hold. What is 0 or less takes its default. Memory is only taken as bytes come, so
// that a size alone costs nothing.
type Limits struct {
	MaxBlock        int // bytes of a SimpleBlock or BlockGroup: 50 MiB, the service's largest fragment
	MaxHeader       int // bytes of an EBML header, Info or Tracks: 8 MiB
	MaxTracks       int // 64; the service itself allows 3
	MaxCodecPrivate int // bytes: 1 MiB
	MaxTags         int // bytes of a Tags element: 256 KiB
	MaxSkip         int // bytes between two events that are skipped (Void, Cues, attachments, what is not known): 64 MiB
}

func (l Limits) orDefault() Limits {
	for _, f := range [...]struct {
		value    *int
		standard int
	}{
		{&l.MaxBlock, MaxFragment}, {&l.MaxHeader, 8 << 20}, {&l.MaxTracks, 64}, {&l.MaxCodecPrivate, MaxCodecPrivate},
		{&l.MaxTags, 256 << 10}, {&l.MaxSkip, 64 << 20},
	} {
		if *f.value <= 0 {
			*f.value = f.standard
		}
	}
	return l
}

// of is how many bytes an element that is read as a whole may have.
func (l *Limits) of(id uint32) int {
	switch id {
	case idSimpleBlock, idBlockGroup:
		return l.MaxBlock
	case idTags:
		return l.MaxTags
	}
	return l.MaxHeader
}
