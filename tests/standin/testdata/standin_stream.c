/* Streams of the stand-in, as the program drives them: see standin.h. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "standin.h"

static stream *of(STREAM_HANDLE h) { return (stream *)(uintptr_t)h; }

static void note_stream(stream *s) {
  PClientCallbacks c = s->client->callbacks;
  StreamCaps *k = &s->info.streamCaps;
  standin_note(c, "stream name=%s content=%s mode=%d retention=%llu buffer=%llu replay=%llu latency=%llu stale=%llu fragment=%llu scale=%llu order=%d nal=%u\n",
               s->info.name, k->contentType, k->streamingType, (unsigned long long)s->info.retention, (unsigned long long)k->bufferDuration,
               (unsigned long long)k->replayDuration, (unsigned long long)k->maxLatency, (unsigned long long)k->connectionStalenessDuration,
               (unsigned long long)k->fragmentDuration, (unsigned long long)k->timecodeScale, k->frameOrderingMode, k->nalAdaptationFlags);
  standin_note(c, "caps key=%d times=%d absolute=%d acks=%d recover=%d create=%d bandwidth=%u rate=%u kms=%s\n", k->keyFrameFragmentation, k->frameTimecodes,
               k->absoluteFragmentTimes, k->fragmentAcks, k->recoverOnError, k->allowStreamCreation, k->avgBandwidthBps, k->frameRate, s->info.kmsKeyId);
  for (UINT32 i = 0; i < s->info.tagCount; i++)
    standin_note(c, "resource-tag %s=%s\n", s->info.tags[i].name, s->info.tags[i].value);
  for (UINT32 i = 0; i < k->trackInfoCount; i++) {
    TrackInfo *t = &k->trackInfoList[i];
    standin_note(c, "track id=%llu type=%d codec=%s name=%s private=%.*s\n", (unsigned long long)t->trackId, t->trackType, t->codecId, t->trackName,
                 (int)t->codecPrivateDataSize, t->codecPrivateData ? (char *)t->codecPrivateData : "");
  }
}

static void prepare(stream *s) {
  pthread_mutexattr_t recursive;
  pthread_mutexattr_init(&recursive);
  pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
  pthread_mutex_init(&s->lock, &recursive);
  pthread_mutexattr_destroy(&recursive);
  pthread_cond_init(&s->work, NULL);
  pthread_cond_init(&s->done, NULL);
  s->tail = &s->head;
}

STATUS createKinesisVideoStreamSync(CLIENT_HANDLE h, PStreamInfo info, PSTREAM_HANDLE out) {
  client *k = (client *)(uintptr_t)h;
  PClientCallbacks c = k->callbacks;
  long slow = standin_fault(c, "slow");
  stream *s;
  if (info->version != STREAM_INFO_CURRENT_VERSION || info->streamCaps.trackInfoCount < 1 || info->streamCaps.trackInfoCount > 3)
    return STATUS_INVALID_ARG;
  if (slow > 0)
    standin_pause(slow);
  if (standin_fault(c, "denied") >= 0) {
    c->stream.streamErrorReportFn(c->stream.customData, 0, 0, MAX_UINT64, STATUS_SERVICE_CALL_NOT_AUTHORIZED_ERROR);
    return STATUS_OPERATION_TIMED_OUT;
  }
  s = calloc(1, sizeof *s);
  s->client = k;
  s->info = *info;
  note_stream(s);
  memcpy(s->tracks, info->streamCaps.trackInfoList, info->streamCaps.trackInfoCount * sizeof(TrackInfo));
  s->info.streamCaps.trackInfoList = s->tracks; /* the caller's memory ends with the call */
  s->info.tags = NULL;
  prepare(s);
  standin_streams++;
  c->stream.streamReadyFn(c->stream.customData, (STREAM_HANDLE)(uintptr_t)s);
  pthread_create(&s->thread, NULL, standin_send, s);
  *out = (STREAM_HANDLE)(uintptr_t)s;
  return STATUS_SUCCESS;
}

/* add puts an item at the end of what waits. The stream is locked. */
static item *add(stream *s, sort what) {
  item *i = calloc(1, sizeof *i);
  standin_items++;
  i->what = what;
  *s->tail = i;
  s->tail = &i->next;
  pthread_cond_signal(&s->work);
  return i;
}

static void end_fragment(stream *s) {
  if (s->open)
    add(s, FRAME)->ends = 1;
  s->open = 0;
}

static STATUS check(stream *s, PFrame f) {
  int known = 0;
  for (UINT32 i = 0; i < s->info.streamCaps.trackInfoCount; i++)
    known |= s->tracks[i].trackId == f->trackId;
  if (!known)
    return STATUS_MKV_TRACK_INFO_NOT_FOUND;
  if (!f->frameData || !f->size)
    return STATUS_MKV_INVALID_FRAME_DATA;
  if (f->decodingTs < s->last)
    return STATUS_MKV_INVALID_FRAME_TIMESTAMP;
  if ((long)s->puts == standin_fault(s->client->callbacks, "full") || s->client->used + f->size > s->client->storage)
    return STATUS_STORE_OUT_OF_MEMORY;
  return STATUS_SUCCESS;
}

static int begins(stream *s, PFrame f) {
  StreamCaps *k = &s->info.streamCaps;
  if (!s->open)
    return 1;
  return k->keyFrameFragmentation ? f->flags & FRAME_FLAG_KEY_FRAME : f->presentationTs >= s->from + k->fragmentDuration;
}

static STATUS put(stream *s, PFrame f) {
  STATUS r;
  item *i;
  if (s->stopping)
    return STATUS_STREAM_HAS_BEEN_STOPPED;
  if (f->flags & FRAME_FLAG_END_OF_FRAGMENT) {
    if (!s->open)
      return STATUS_END_OF_FRAGMENT_FRAME_INVALID_STATE;
    end_fragment(s);
    return STATUS_SUCCESS;
  }
  s->puts++;
  if ((r = check(s, f)) != STATUS_SUCCESS) {
    s->metrics.putFrameErrors++;
    return r;
  }
  s->last = f->decodingTs;
  s->started = 1;
  r = begins(s, f);
  if (r) {
    end_fragment(s);
    s->open = 1;
    s->from = f->presentationTs;
  }
  i = add(s, FRAME);
  i->begins = r != 0;
  i->frame = *f;
  i->frame.frameData = malloc(f->size);
  memcpy(i->frame.frameData, f->frameData, f->size);
  s->client->used += f->size;
  return STATUS_SUCCESS;
}

STATUS putKinesisVideoFrame(STREAM_HANDLE h, PFrame f) {
  stream *s = of(h);
  STATUS r;
  pthread_mutex_lock(&s->lock);
  r = put(s, f);
  pthread_mutex_unlock(&s->lock);
  return r;
}

STATUS putKinesisVideoFragmentMetadata(STREAM_HANDLE h, PCHAR name, PCHAR value, BOOL persist) {
  stream *s = of(h);
  if (strncmp(name, "AWS", 3) == 0)
    return STATUS_INVALID_METADATA_NAME;
  pthread_mutex_lock(&s->lock);
  if (asprintf(&add(s, TAG)->text, "%s=%s persist=%d", name, value, persist != 0) < 0)
    abort();
  pthread_mutex_unlock(&s->lock);
  return STATUS_SUCCESS;
}

STATUS putKinesisVideoEventMetadata(STREAM_HANDLE h, UINT32 events, PStreamEventMetadata m) {
  stream *s = of(h);
  char text[2048];
  int n;
  if (!s->started)
    return STATUS_STREAM_NOT_STARTED;
  n = snprintf(text, sizeof text, "%u prefix=%s", events, m->imagePrefix ? m->imagePrefix : "-");
  for (int i = 0; i < m->numberOfPairs; i++)
    n += snprintf(text + n, sizeof text - n, " %s=%s", m->names[i], m->values[i]);
  pthread_mutex_lock(&s->lock);
  add(s, EVENT)->text = strdup(text);
  pthread_mutex_unlock(&s->lock);
  return STATUS_SUCCESS;
}

STATUS kinesisVideoStreamFormatChanged(STREAM_HANDLE h, UINT32 size, PBYTE data, UINT64 track) {
  stream *s = of(h);
  STATUS r = STATUS_MKV_TRACK_INFO_NOT_FOUND;
  pthread_mutex_lock(&s->lock);
  for (UINT32 i = 0; i < s->info.streamCaps.trackInfoCount; i++)
    if (s->tracks[i].trackId == track)
      r = asprintf(&add(s, FORMAT)->text, "track=%llu private=%.*s", (unsigned long long)track, (int)size, (char *)data) < 0;
  pthread_mutex_unlock(&s->lock);
  return r;
}

STATUS stopKinesisVideoStreamSync(STREAM_HANDLE h) {
  stream *s = of(h);
  UINT64 limit = s->client->info.stopStreamTimeout * 100; /* ns */
  struct timespec t;
  int r = 0;
  clock_gettime(CLOCK_REALTIME, &t);
  limit += t.tv_nsec;
  t.tv_sec += limit / 1000000000;
  t.tv_nsec = limit % 1000000000;
  pthread_mutex_lock(&s->lock);
  end_fragment(s);
  s->stopping = 1;
  pthread_cond_signal(&s->work);
  while (!s->closed && r == 0)
    r = pthread_cond_timedwait(&s->done, &s->lock, &t);
  pthread_mutex_unlock(&s->lock);
  return r ? STATUS_OPERATION_TIMED_OUT : STATUS_SUCCESS;
}

STATUS freeKinesisVideoStream(PSTREAM_HANDLE at) {
  stream *s = of(*at);
  pthread_mutex_lock(&s->lock);
  s->stopping = s->cut = 1;
  pthread_cond_signal(&s->work);
  pthread_mutex_unlock(&s->lock);
  pthread_join(s->thread, NULL);
  while (s->head)
    standin_drop(s, s->head);
  pthread_mutex_destroy(&s->lock);
  pthread_cond_destroy(&s->work);
  pthread_cond_destroy(&s->done);
  free(s);
  *at = INVALID_STREAM_HANDLE_VALUE;
  standin_streams--;
  return STATUS_SUCCESS;
}

STATUS getKinesisVideoStreamMetrics(STREAM_HANDLE h, PStreamMetrics m) {
  stream *s = of(h);
  pthread_mutex_lock(&s->lock);
  *m = s->metrics;
  pthread_mutex_unlock(&s->lock);
  return STATUS_SUCCESS;
}
