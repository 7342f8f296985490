package metrics

// Kind is how a figure moves.
type Kind int

// The kinds.
const (
	Counter   Kind = iota // a sum that grows until its source ends
	Gauge                 // a level
	Histogram             // how often which value came
)

// String names the kind as Prometheus does.
func (k Kind) String() string { return [...]string{"counter", "gauge", "histogram"}[k] }

// Unit is a unit of CloudWatch's, by its name there.
type Unit string

// The units in use.
const (
	Count        Unit = "Count"
	Bytes        Unit = "Bytes"
	Milliseconds Unit = "Milliseconds"
	None         Unit = "None"
)

// Family describes samples that differ in labels only.
type Family struct {
	// Name is Prometheus': snake case, with prefix, base unit (seconds, bytes), and _total for counters.
	Name string
	Help string
	Kind Kind
	// Labels names what tells the samples apart, beside the labels of their source.
	Labels []Label
	// Embedded is the name in the embedded metric format; empty leaves it out there.
	Embedded string
	// Sum is the name there of the sum over all samples, without Labels; it is always said, while samples with labels
	// are only when they change. Empty without one.
	Sum  string
	Unit Unit
	// Scale makes values those of Unit: 1000 for seconds in Milliseconds; 0 is 1.
	Scale float64
}

// Label is the name of a label: for Prometheus, and as a dimension of CloudWatch's.
type Label struct{ Name, Dimension string }

// Sample is one figure of a family.
type Sample struct {
	Family *Family
	// Values are those of the family's labels, in their order.
	Values []string
	// Value is a counter's or a gauge's.
	Value float64
	// Distribution is a histogram's; nil for others.
	Distribution *Distribution
}

// Distribution is numbers of values by size.
type Distribution struct {
	// Bounds are upper bounds that grow, each included in its bucket. They are not changed by anybody.
	Bounds []float64
	// Counts are numbers of values by Bounds, one more for those beyond the last.
	Counts []uint64
	Sum    float64
	// Step: Prometheus is shown the bound of each Step-th bucket alone; 0 and 1 show all.
	Step int
	// Exact says that values lie on the bounds.
	Exact bool
}

// Source is what has figures.
type Source struct {
	// Labels tell it apart from other sources in all of its samples. Dimension says which of them are dimensions of
	// CloudWatch's, each of which costs: the others stand in the line for those who search in it.
	Labels []Assigned
	// Families are all that Snapshot may give samples of.
	Families []*Family
	// Snapshot gives the figures of now. It may be called from several goroutines at a time, must not block for long, and
	// may be called once more while Leave lasts. Samples of a family come one after another.
	Snapshot func() []Sample
}

// Assigned is a label with its value. Without a Dimension it is none.
type Assigned struct {
	Label
	Value string
}
