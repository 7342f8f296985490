// Package version says which release this is.
package version

// Version is the release, by semver.org. The build sets it no other way, so that every binary of a checkout agrees.
const Version = "0.1.0"
