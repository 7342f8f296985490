//go:build kvsproducer

/* What the SDK calls. All of it runs on the SDK's threads, most of it with the stream's lock held: kvspGoEvent does not block. */
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>

#include "kvsp.h"

extern void kvspGoEvent(uintptr_t user, kvsp_event *e);

static STATUS tell(uintptr_t user, kvsp_event e) {
  kvspGoEvent(user, &e);
  return STATUS_SUCCESS;
}

/* Those of a stream are given it. */
static STATUS tell_of(UINT64 p, kvsp_event e) { return tell(((kvsp *)(uintptr_t)p)->user, e); }

/* The SDK tells of acknowledgements that it does not heed too: of a connection that it has given up, or of what it keeps no more. Those it does not
 * count. Its lock of the stream is held, and can be taken again. */
static int is_ignored(kvsp *p, STREAM_HANDLE h) {
  StreamMetrics m = {.version = STREAM_METRICS_CURRENT_VERSION};
  uint64_t sum, before = p->heeded;
  if (getKinesisVideoStreamMetrics(h, &m) != STATUS_SUCCESS)
    return 0;
  sum = m.bufferedAcks + m.receivedAcks + m.persistedAcks + m.errorAcks;
  p->heeded = sum;
  return sum == before;
}

static STATUS on_ack(UINT64 at, STREAM_HANDLE h, UPLOAD_HANDLE up, PFragmentAck a) {
  kvsp *p = (kvsp *)(uintptr_t)at;
  return tell(p->user, (kvsp_event){.kind = KVSP_ACK,
                                    .ack = a->ackType,
                                    .result = a->result,
                                    .ignored = is_ignored(p, h),
                                    .value = a->timestamp,
                                    .upload = up,
                                    .text = a->sequenceNumber});
}

static STATUS on_error(UINT64 p, STREAM_HANDLE h, UPLOAD_HANDLE up, UINT64 timecode, STATUS status) {
  return tell_of(p, (kvsp_event){.kind = KVSP_FAILED, .status = status, .value = timecode, .upload = up});
}

static STATUS on_latency(UINT64 p, STREAM_HANDLE h, UINT64 depth) { return tell_of(p, (kvsp_event){.kind = KVSP_LATENCY, .value = depth}); }
static STATUS on_stale(UINT64 p, STREAM_HANDLE h, UINT64 since) { return tell_of(p, (kvsp_event){.kind = KVSP_STALE, .value = since}); }
static STATUS on_buffer(UINT64 p, STREAM_HANDLE h, UINT64 left) { return tell_of(p, (kvsp_event){.kind = KVSP_BUFFER, .value = left}); }
static STATUS on_storage(UINT64 user, UINT64 left) { return tell(user, (kvsp_event){.kind = KVSP_STORAGE, .value = left}); }
static STATUS on_frame(UINT64 p, STREAM_HANDLE h, UINT64 at) { return tell_of(p, (kvsp_event){.kind = KVSP_DROPPED_FRAME, .value = at}); }
static STATUS on_fragment(UINT64 p, STREAM_HANDLE h, UINT64 at) { return tell_of(p, (kvsp_event){.kind = KVSP_DROPPED_FRAGMENT, .value = at}); }
static STATUS on_ready(UINT64 p, STREAM_HANDLE h) { return tell_of(p, (kvsp_event){.kind = KVSP_READY}); }
static STATUS on_closed(UINT64 p, STREAM_HANDLE h, UPLOAD_HANDLE up) { return tell_of(p, (kvsp_event){.kind = KVSP_CLOSED, .upload = up}); }

/* The SDK has one log in a process, and its lines do not say of which stream they are: all open streams get them. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static kvsp *list;

void kvsp_enlist(kvsp *p) {
  pthread_mutex_lock(&lock);
  p->next = list;
  list = p;
  pthread_mutex_unlock(&lock);
}

void kvsp_delist(kvsp *p) {
  pthread_mutex_lock(&lock);
  for (kvsp **at = &list; *at; at = &(*at)->next)
    if (*at == p) {
      *at = p->next;
      break;
    }
  pthread_mutex_unlock(&lock);
}

static VOID on_log(UINT32 level, const PCHAR tag, const PCHAR format, ...) {
  char text[1024];
  int made = 0;
  pthread_mutex_lock(&lock);
  for (kvsp *p = list; p; p = p->next) {
    if (level < p->level || p->level >= LOG_LEVEL_SILENT)
      continue;
    if (!made) {
      va_list args;
      int n = snprintf(text, sizeof text, "%s: ", tag ? tag : "");
      if (n < 0 || n >= (int)sizeof text)
        n = 0;
      va_start(args, format);
      vsnprintf(text + n, sizeof text - n, format, args);
      va_end(args);
      made = 1;
    }
    kvspGoEvent(p->user, &(kvsp_event){.kind = KVSP_LOG, .value = level, .text = text});
  }
  pthread_mutex_unlock(&lock);
}

void kvsp_hear(kvsp *p, StreamCallbacks *s, ProducerCallbacks *c, PlatformCallbacks *l) {
  s->version = STREAM_CALLBACKS_CURRENT_VERSION;
  s->customData = (UINT64)(uintptr_t)p;
  s->fragmentAckReceivedFn = on_ack;
  s->streamErrorReportFn = on_error;
  s->streamLatencyPressureFn = on_latency;
  s->streamConnectionStaleFn = on_stale;
  s->bufferDurationOverflowPressureFn = on_buffer;
  s->droppedFrameReportFn = on_frame;
  s->droppedFragmentReportFn = on_fragment;
  s->streamReadyFn = on_ready;
  s->streamClosedFn = on_closed;
  c->version = PRODUCER_CALLBACKS_CURRENT_VERSION;
  c->customData = (UINT64)p->user;
  c->storageOverflowPressureFn = on_storage;
  l->version = PLATFORM_CALLBACKS_CURRENT_VERSION;
  l->logPrintFn = on_log;
}
