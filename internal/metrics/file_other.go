//go:build !unix

package metrics

const dontWait = 0
