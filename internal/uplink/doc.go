// Package uplink keeps what is sent within the bandwidth that a box may use, on a
// mobile link for instance, and decides who goes first when there is not enough.
//
// A link has a bandwidth and users, each with a Share: the elements of a process that
// name the same group. Who wants to send asks first, with Begin (which does not block)
// or Take (which does). Claims that have to wait are granted one after another:
//
//  1. what was begun before it needed more bandwidth than was asked for (Conn),
//  2. what has waited for 5 s, so that nothing ever starves,
//  3. live data before backlog,
//  4. the higher priority before the lower,
//  5. the earlier before the later.
//
// The bandwidth is that of the bytes that go into connections, TLS and HTTP included;
// what TCP, IP and the modem add (about 3 %) is not seen from here. It is held on the
// average: a link that was quiet may send a tenth of a second's worth at once, and a
// grant may be up to half a second's worth.
package uplink
