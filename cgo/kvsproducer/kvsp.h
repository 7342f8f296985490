/* A stream of AWS's producer SDK, as the Go side drives it. The SDK's structs are made on this side: no Go pointer outlives a call. */
#ifndef KVSP_H
#define KVSP_H

#include <stddef.h>
#include <stdint.h>

#include <com/amazonaws/kinesis/video/cproducer/Include.h>

typedef struct {
  uint64_t id;
  int type; /* Matroska's: 1 video, 2 audio */
  const char *codec, *name;
  const uint8_t *data; /* CodecPrivate */
  uint32_t size;
  uint16_t width, height, channels, bits;
  double rate;
} kvsp_track;

/* Durations are in units of 100 ns. Strings are NUL-terminated; those that may be missing are NULL. */
typedef struct {
  const char *stream, *content, *endpoint, *region, *access, *secret, *token, *ca, *agent, *kms;
  const char **tag_names, **tag_values;
  uint32_t tags;
  kvsp_track *tracks;
  uint32_t track_count;
  int mode;
  uint64_t retention, storage, buffer, replay, latency, staleness, fragment, timecode;
  uint32_t bandwidth, frame_rate;
  int create, key_frames, frame_timecodes, absolute, acks, recover, metrics, continuous, ordered;
  uint64_t open_timeout, stop_timeout;
  int log;
} kvsp_settings;

/* One event, on the stack of the SDK's thread. Kinds are those of Go's Kind. */
typedef struct {
  int kind, ack, result, ignored;
  uint32_t status;
  uint64_t value; /* a time or a size */
  uint64_t upload;
  const char *text; /* a fragment's number, or a line of the log */
} kvsp_event;

enum {
  KVSP_ACK = 1,
  KVSP_FAILED,
  KVSP_LATENCY,
  KVSP_STALE,
  KVSP_BUFFER,
  KVSP_STORAGE,
  KVSP_DROPPED_FRAME,
  KVSP_DROPPED_FRAGMENT,
  KVSP_READY,
  KVSP_CLOSED,
  KVSP_LOG
};

typedef struct kvsp {
  uintptr_t user; /* a runtime/cgo.Handle */
  PClientCallbacks callbacks;
  CLIENT_HANDLE client;
  STREAM_HANDLE stream;
  uint32_t index; /* of the next frame */
  uint64_t heeded; /* acknowledgements that the SDK has counted; of its callbacks alone */
  uint32_t level; /* of the log */
  struct kvsp *next;
} kvsp;

/* Blocks until the service has the stream ready, it refuses, or open_timeout is over. On failure nothing is left, and at names the call. */
uint32_t kvsp_open(const kvsp_settings *s, uintptr_t user, kvsp **out, const char **at);
/* Blocks until the last frame is acknowledged, or stop_timeout is over. */
uint32_t kvsp_stop(kvsp *p);
/* Waits for the SDK's threads; after it no event comes. p is gone. */
void kvsp_free(kvsp *p);

uint32_t kvsp_put(kvsp *p, uint64_t track, uint64_t pts, uint64_t dts, int key, const void *data, uint32_t size);
uint32_t kvsp_end_fragment(kvsp *p);
uint32_t kvsp_set_codec(kvsp *p, uint64_t track, const void *data, uint32_t size);
uint32_t kvsp_metadata(kvsp *p, const char *name, const char *value, int persist);
uint32_t kvsp_signal(kvsp *p, uint32_t events, const char *prefix, const char **names, const char **values, uint32_t pairs);
uint32_t kvsp_stats(kvsp *p, ClientMetrics *c, StreamMetrics *s);

/* kvsp_callbacks.c */
void kvsp_hear(kvsp *p, StreamCallbacks *s, ProducerCallbacks *c, PlatformCallbacks *l);
void kvsp_enlist(kvsp *p);
void kvsp_delist(kvsp *p);

#endif
