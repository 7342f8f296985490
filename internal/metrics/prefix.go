package metrics

// Prefix is what the names of a source's families begin with.
type Prefix string

// Counter makes a family that only grows; its name ends in _total.
func (p Prefix) Counter(name, embedded string, unit Unit, help string, labels ...Label) Family {
	return Family{Name: string(p) + name + "_total", Help: help, Kind: Counter, Labels: labels, Embedded: embedded, Unit: unit}
}

// Gauge makes a family that goes up and down.
func (p Prefix) Gauge(name, embedded string, unit Unit, help string, labels ...Label) Family {
	return Family{Name: string(p) + name, Help: help, Kind: Gauge, Labels: labels, Embedded: embedded, Unit: unit}
}

// Summed is the family with the name of the sum over its labels, see Family.Sum.
func (f Family) Summed(name string) Family {
	f.Sum = name
	return f
}
