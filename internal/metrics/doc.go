// Package metrics tells others how the engines fare: Prometheus, which asks over HTTP, and CloudWatch, by lines in its
// embedded metric format.
//
//	var registry metrics.Registry                 // one for a process
//	m, err := registry.Join(metrics.Options{Address: "127.0.0.1:9464"})
//	withdraw := m.Publish(source)                 // it is shown from here on
//	m.Leave()                                     // the last one out closes the listener
//
// A [Source] gives its figures as families of samples when it is asked; nothing is kept between two questions but what
// the last line of a file said. What the families are is the sources' own: see datastream.
//
// The process has one owner of listeners and files, a [Registry], handed to those who use it: all who name the same
// address share a listener, all who name the same file take turns in it.
package metrics
