// Package streams is the model of Kinesis Data Streams behind the embedded endpoint: streams, shards with their
// lineage, records in order, iterators, limits, retention. It knows nothing of HTTP or of body formats.
//
// Time is injected and nothing runs in the background: state changes that take time (CREATING, UPDATING, DELETING),
// retention and refilling of limits are worked out when somebody looks.
//
// Errors that a client may see are *apierr.Error in AWS's names and words.
package streams
