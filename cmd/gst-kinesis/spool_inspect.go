package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"gst-kinesis/cmd/gst-kinesis/internal/status"
	"gst-kinesis/internal/spool"
)

// spoolReport is a spool as --json prints it. Records and Bytes are what waits; times are left out where they are not known.
type spoolReport struct {
	Directory string          `json:"directory"`
	Owned     bool            `json:"owned"` // somebody has it open now
	Owner     int             `json:"owner_pid,omitempty"`
	Records   int             `json:"records"`
	Bytes     int64           `json:"bytes"`
	Done      int             `json:"done"` // records that are through and still take room
	DiskBytes int64           `json:"disk_bytes"`
	Oldest    time.Time       `json:"oldest,omitzero"`
	Newest    time.Time       `json:"newest,omitzero"`
	Corrupt   int64           `json:"corrupt_bytes"`
	Torn      int64           `json:"torn_bytes"`
	Lost      int             `json:"lost_records"`
	Bad       []string        `json:"bad_files,omitempty"`
	Unknown   []string        `json:"unknown_files,omitempty"`
	Segments  []segmentReport `json:"segments"`
}

// segmentReport is a file of it.
type segmentReport struct {
	Name      string    `json:"name"`
	Records   int       `json:"records"`
	Bytes     int64     `json:"bytes"`
	Done      int       `json:"done"`
	DiskBytes int64     `json:"disk_bytes"`
	Oldest    time.Time `json:"oldest,omitzero"`
	Newest    time.Time `json:"newest,omitzero"`
	Sealed    bool      `json:"sealed"`
	Corrupt   int64     `json:"corrupt_bytes"`
	Torn      int64     `json:"torn_bytes"`
	Lost      int       `json:"lost_records"`
	Header    bool      `json:"header_damaged,omitempty"`
	Error     string    `json:"error,omitempty"`
}

func (p *program) inspectSpool(c *cli.Context) error {
	dir, err := spoolIn(c)
	if err != nil {
		return err
	}
	found, err := spool.Inspect(c.Context, dir)
	if err != nil {
		return err
	}
	r := reportOf(found)
	if c.Bool("json") {
		return p.printJSON(r)
	}
	return r.print(p.out)
}

func reportOf(found spool.Report) *spoolReport {
	r := &spoolReport{
		Directory: found.Directory, Owned: found.Owned, Owner: found.Owner, Records: found.Records - found.Done, Bytes: found.Bytes, Done: found.Done,
		DiskBytes: found.DiskBytes + found.AcksBytes, Oldest: found.Oldest.UTC(), Newest: found.Newest.UTC(), Corrupt: found.AcksDamaged,
		Bad: found.Bad, Unknown: found.Unknown, Segments: []segmentReport{},
	}
	for _, s := range found.Segments {
		seg := segmentReport{
			Name: s.Name, Records: s.Records - s.Done, Bytes: s.Bytes, Done: s.Done, DiskBytes: s.DiskBytes, Oldest: s.Oldest.UTC(), Newest: s.Newest.UTC(),
			Sealed: s.Sealed, Corrupt: s.CorruptBytes, Torn: s.TornBytes, Lost: s.Lost, Header: s.HeaderDamaged,
		}
		if s.Err != nil {
			seg.Error = s.Err.Error()
		}
		r.Corrupt, r.Torn, r.Lost = r.Corrupt+s.CorruptBytes, r.Torn+s.TornBytes, r.Lost+s.Lost
		r.Segments = append(r.Segments, seg)
	}
	return r
}

// print shows it to a person.
func (r *spoolReport) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 2, 0, 2, ' ', 0)
	fmt.Fprintf(w, "Spool\t%s\n", r.Directory)
	fmt.Fprintf(w, "Open in\t%s\n", r.owner())
	fmt.Fprintf(w, "Waiting\t%d records, %s\n", r.Records, status.Size(float64(r.Bytes)))
	if !r.Oldest.IsZero() {
		fmt.Fprintf(w, "Accepted\t%s to %s\n", shownTime(r.Oldest), shownTime(r.Newest))
	}
	fmt.Fprintf(w, "Through\t%d records that still take room\n", r.Done)
	fmt.Fprintf(w, "Disk\t%s in %d segments\n", status.Size(float64(r.DiskBytes)), len(r.Segments))
	fmt.Fprintf(w, "Damage\t%s\n", r.damage())
	for _, name := range r.Bad {
		fmt.Fprintf(w, "Kept\t%s was damaged and is kept for a look at it; it may be removed\n", shown(name))
	}
	for _, name := range r.Unknown {
		fmt.Fprintf(w, "Not its own\t%s\n", shown(name))
	}
	if len(r.Segments) > 0 {
		fmt.Fprintln(w, "\nSEGMENT\tWAITING\tDATA\tDISK\tOLDEST\tNEWEST\tSTATE")
	}
	for _, s := range r.Segments {
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\t%s\n", strings.TrimSuffix(s.Name, ".seg"), s.Records, status.Size(float64(s.Bytes)), status.Size(float64(s.DiskBytes)),
			shownTime(s.Oldest), shownTime(s.Newest), s.state(r.Owned))
	}
	return w.Flush()
}

func (r *spoolReport) owner() string {
	switch {
	case r.Owned && r.Owner > 0:
		return fmt.Sprintf("process %d", r.Owner)
	case r.Owned:
		return "another process"
	case r.Owner > 0:
		return fmt.Sprintf("no process; %d ended without closing it, which loses nothing", r.Owner)
	}
	return "no process"
}

func (r *spoolReport) damage() string {
	var list []string
	if r.Lost > 0 {
		list = append(list, fmt.Sprintf("%d records are lost", r.Lost))
	}
	if r.Corrupt > 0 {
		list = append(list, fmt.Sprintf("%d bytes cannot be read", r.Corrupt))
	}
	if r.Torn > 0 && !r.Owned {
		list = append(list, fmt.Sprintf("%d bytes at the end were being written when the process ended", r.Torn))
	}
	for _, s := range r.Segments {
		if s.Error != "" {
			list = append(list, s.Error)
		}
	}
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, "; ")
}

// state is one word or two of a segment.
func (s *segmentReport) state(owned bool) string {
	switch {
	case s.Error != "":
		return "unreadable"
	case s.Header || s.Corrupt > 0 || s.Lost > 0:
		return "damaged"
	case s.Sealed:
		return "whole"
	case owned:
		return "being written"
	case s.Torn > 0:
		return "torn end"
	}
	return "not ended"
}
