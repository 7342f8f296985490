//go:build unix

package metrics

import "syscall"

// dontWait: a pipe without a reader is an error, and one that is full gives way to a deadline.
const dontWait = syscall.O_NONBLOCK
