/* The sending thread of the stand-in: see standin.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "standin.h"

void standin_drop(stream *s, item *i) {
  s->head = i->next;
  if (!s->head)
    s->tail = &s->head;
  s->client->used -= i->frame.size;
  free(i->frame.frameData);
  free(i->text);
  free(i);
  standin_items--;
}

/* fnv is FNV-1a of 64 bits: the journal names frames by it. */
static uint64_t fnv(const uint8_t *p, size_t n) {
  uint64_t h = 14695981039346656037u;
  while (n--)
    h = (h ^ *p++) * 1099511628211u;
  return h;
}

static void acknowledge(stream *s, FRAGMENT_ACK_TYPE type, SERVICE_CALL_RESULT result) {
  StreamCallbacks *cb = &s->client->callbacks->stream;
  long crawl = standin_fault(s->client->callbacks, "crawl");
  FragmentAck a = {.ackType = type, .timestamp = s->sent_at, .result = result};
  snprintf(a.sequenceNumber, sizeof a.sequenceNumber, "%020" PRIu64, s->sent);
  if (crawl > 0)
    standin_pause(crawl);
  cb->fragmentAckReceivedFn(cb->customData, (STREAM_HANDLE)(uintptr_t)s, 7, &a);
}

static void pressures(stream *s) {
  StreamCallbacks *cb = &s->client->callbacks->stream;
  ProducerCallbacks *p = &s->client->callbacks->producer;
  STREAM_HANDLE h = (STREAM_HANDLE)(uintptr_t)s;
  cb->streamLatencyPressureFn(cb->customData, h, 610000000);
  cb->streamConnectionStaleFn(cb->customData, h, 620000000);
  cb->bufferDurationOverflowPressureFn(cb->customData, h, 60000000);
  cb->droppedFrameReportFn(cb->customData, h, 40000);
  cb->droppedFragmentReportFn(cb->customData, h, 50000);
  p->storageOverflowPressureFn(p->customData, 4321);
  s->metrics.latencyPressures++;
  s->metrics.staleEvents++;
}

static void finished(stream *s) {
  PClientCallbacks c = s->client->callbacks;
  standin_note(c, "end %" PRIu64 "\n", s->sent);
  if (standin_fault(c, "stuck") >= 0)
    return;
  s->metrics.receivedAcks++;
  acknowledge(s, FRAGMENT_ACK_TYPE_RECEIVED, SERVICE_CALL_RESULT_OK);
  if ((long)s->sent == standin_fault(c, "broken")) {
    s->metrics.errorAcks++;
    acknowledge(s, FRAGMENT_ACK_TYPE_ERROR, SERVICE_CALL_RESULT_FRAGMENT_ARCHIVAL_ERROR);
    c->stream.streamErrorReportFn(c->stream.customData, (STREAM_HANDLE)(uintptr_t)s, 7, s->sent_at * 10000, STATUS_ACK_ERR_FRAGMENT_ARCHIVAL_ERROR);
  } else {
    s->metrics.persistedAcks++;
    acknowledge(s, FRAGMENT_ACK_TYPE_PERSISTED, SERVICE_CALL_RESULT_OK);
  }
  if (standin_fault(c, "pressure") >= 0)
    pressures(s);
}

static void frame(stream *s, item *i) {
  PClientCallbacks c = s->client->callbacks;
  PFrame f = &i->frame;
  if (i->begins) {
    s->sent++;
    s->sent_at = f->presentationTs / 10000;
    standin_note(c, "fragment %" PRIu64 " at=%" PRIu64 "\n", s->sent, s->sent_at);
    if (standin_fault(c, "stuck") < 0) {
      s->metrics.bufferedAcks++;
      acknowledge(s, FRAGMENT_ACK_TYPE_BUFFERING, SERVICE_CALL_RESULT_OK);
      for (long n = s->sent == 1 ? standin_fault(c, "storm") : 0; n > 0; n--)
        acknowledge(s, FRAGMENT_ACK_TYPE_BUFFERING, SERVICE_CALL_RESULT_OK);
    }
  }
  s->metrics.transferredBytes += f->size;
  standin_note(c, "frame %u track=%" PRIu64 " pts=%" PRIu64 " dts=%" PRIu64 " key=%d size=%u fnv=%016" PRIx64 "\n", f->index, f->trackId, f->presentationTs,
               f->decodingTs, f->flags & FRAME_FLAG_KEY_FRAME, f->size, fnv(f->frameData, f->size));
}

static void send_one(stream *s, item *i) {
  static const char *const names[] = {[TAG] = "tag", [EVENT] = "event", [FORMAT] = "format"};
  if (i->what != FRAME)
    standin_note(s->client->callbacks, "%s %s\n", names[i->what], i->text);
  else if (i->ends)
    finished(s);
  else
    frame(s, i);
}

void *standin_send(void *at) {
  stream *s = at;
  StreamCallbacks *cb = &s->client->callbacks->stream;
  pthread_mutex_lock(&s->lock);
  while (!s->cut && (s->head || !s->stopping)) {
    if (!s->head) {
      pthread_cond_wait(&s->work, &s->lock);
      continue;
    }
    send_one(s, s->head);
    standin_drop(s, s->head);
  }
  if (!s->cut && standin_fault(s->client->callbacks, "stuck") < 0) {
    cb->streamClosedFn(cb->customData, (STREAM_HANDLE)(uintptr_t)s, 7);
    s->closed = 1;
    pthread_cond_broadcast(&s->done);
  }
  pthread_mutex_unlock(&s->lock);
  return NULL;
}
