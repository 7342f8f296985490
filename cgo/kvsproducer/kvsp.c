//go:build kvsproducer

/* Opening, feeding and closing a stream. Names and signatures are the SDK's: cproducer/Include.h, client/Include.h, mkvgen/Include.h. */
#include <stdlib.h>
#include <string.h>

#include "kvsp.h"

static void text(char *to, size_t room, const char *from) {
  if (from) {
    strncpy(to, from, room - 1);
    to[room - 1] = 0;
  }
}

static void fill_track(TrackInfo *to, const kvsp_track *from) {
  to->version = TRACK_INFO_CURRENT_VERSION;
  to->trackId = from->id;
  to->trackType = from->type;
  text(to->codecId, sizeof to->codecId, from->codec);
  text(to->trackName, sizeof to->trackName, from->name);
  to->codecPrivateData = (PBYTE)from->data;
  to->codecPrivateDataSize = from->size;
  if (from->type == MKV_TRACK_INFO_TYPE_AUDIO) {
    to->trackCustomData.trackAudioConfig.samplingFrequency = from->rate;
    to->trackCustomData.trackAudioConfig.channelConfig = from->channels;
    to->trackCustomData.trackAudioConfig.bitDepth = from->bits;
  } else {
    to->trackCustomData.trackVideoConfig.videoWidth = from->width;
    to->trackCustomData.trackVideoConfig.videoHeight = from->height;
  }
}

static void fill_caps(StreamCaps *c, const kvsp_settings *s) {
  c->streamingType = s->mode;
  text(c->contentType, sizeof c->contentType, s->content);
  c->adaptive = TRUE;
  c->maxLatency = s->latency;
  c->fragmentDuration = s->fragment;
  c->keyFrameFragmentation = s->key_frames;
  c->frameTimecodes = s->frame_timecodes;
  c->absoluteFragmentTimes = s->absolute;
  c->fragmentAcks = s->acks;
  c->recoverOnError = s->recover;
  c->nalAdaptationFlags = NAL_ADAPTATION_FLAG_NONE; /* frames come as Matroska wants them */
  c->avgBandwidthBps = s->bandwidth;
  c->frameRate = s->frame_rate;
  c->bufferDuration = s->buffer;
  c->replayDuration = s->replay;
  c->connectionStalenessDuration = s->staleness;
  c->timecodeScale = s->timecode;
  c->recalculateMetrics = s->metrics;
  /* Where they do not come ordered, the SDK orders the tracks' frames by time, and keeps a fragment from ending with the time that the next begins with. */
  c->frameOrderingMode =
      s->ordered || s->track_count == 1 ? FRAME_ORDER_MODE_PASS_THROUGH : FRAME_ORDERING_MODE_MULTI_TRACK_AV_COMPARE_PTS_ONE_MS_COMPENSATE_EOFR;
  c->storePressurePolicy = CONTENT_STORE_PRESSURE_POLICY_DROP_TAIL_ITEM;
  c->viewOverflowPolicy = CONTENT_VIEW_OVERFLOW_POLICY_DROP_UNTIL_FRAGMENT_START;
  c->allowStreamCreation = s->create;
}

static STATUS open_client(kvsp *p, const kvsp_settings *s, const char **at) {
  PDeviceInfo d = NULL;
  STATUS r;
  *at = "createDefaultDeviceInfo";
  if ((r = createDefaultDeviceInfo(&d)) != STATUS_SUCCESS)
    return r;
  d->clientInfo.loggerLogLevel = s->log;
  d->clientInfo.createClientTimeout = s->open_timeout;
  d->clientInfo.createStreamTimeout = s->open_timeout;
  d->clientInfo.stopStreamTimeout = s->stop_timeout;
  d->clientInfo.automaticStreamingFlags = s->continuous ? AUTOMATIC_STREAMING_ALWAYS_CONTINUOUS : AUTOMATIC_STREAMING_INTERMITTENT_PRODUCER;
  *at = "setDeviceInfoStorageSize";
  if ((r = setDeviceInfoStorageSize(d, s->storage)) == STATUS_SUCCESS) {
    *at = "createKinesisVideoClientSync";
    r = createKinesisVideoClientSync(d, p->callbacks, &p->client);
  }
  freeDeviceInfo(&d);
  return r;
}

static STATUS open_stream(kvsp *p, const kvsp_settings *s, const char **at) {
  STATUS r = STATUS_NOT_ENOUGH_MEMORY;
  StreamInfo *i = calloc(1, sizeof *i);
  TrackInfo *tracks = calloc(s->track_count, sizeof *tracks);
  Tag *tags = calloc(s->tags + 1, sizeof *tags);
  *at = "createKinesisVideoStreamSync";
  if (i && tracks && tags) {
    i->version = STREAM_INFO_CURRENT_VERSION;
    text(i->name, sizeof i->name, s->stream);
    text(i->kmsKeyId, sizeof i->kmsKeyId, s->kms);
    i->retention = s->retention;
    for (uint32_t n = 0; n < s->tags; n++)
      tags[n] = (Tag){.version = TAG_CURRENT_VERSION, .name = (PCHAR)s->tag_names[n], .value = (PCHAR)s->tag_values[n]};
    i->tagCount = s->tags;
    i->tags = s->tags ? tags : NULL;
    for (uint32_t n = 0; n < s->track_count; n++)
      fill_track(&tracks[n], &s->tracks[n]);
    fill_caps(&i->streamCaps, s);
    i->streamCaps.trackInfoList = tracks;
    i->streamCaps.trackInfoCount = s->track_count;
    r = createKinesisVideoStreamSync(p->client, i, &p->stream); /* copies all of it; frees the stream if it fails */
  }
  free(tags);
  free(tracks);
  free(i);
  return r;
}

static STATUS open_all(kvsp *p, const kvsp_settings *s, const char **at) {
  STATUS r;
  StreamCallbacks sc = {0};
  ProducerCallbacks pc = {0};
  PlatformCallbacks lc = {0};
  *at = "createDefaultCallbacksProviderWithAwsCredentialsAndEndpointOverride";
  r = createDefaultCallbacksProviderWithAwsCredentialsAndEndpointOverride((PCHAR)s->access, (PCHAR)s->secret, (PCHAR)s->token, MAX_UINT64,
                                                                         (PCHAR)s->region, (PCHAR)s->ca, (PCHAR)s->agent, NULL,
                                                                         (PCHAR)s->endpoint, &p->callbacks);
  if (r != STATUS_SUCCESS)
    return r;
  kvsp_hear(p, &sc, &pc, &lc);
  *at = "setPlatformCallbacks";
  if ((r = setPlatformCallbacks(p->callbacks, &lc)) != STATUS_SUCCESS)
    return r;
  *at = "addStreamCallbacks";
  if ((r = addStreamCallbacks(p->callbacks, &sc)) != STATUS_SUCCESS)
    return r;
  *at = "addProducerCallbacks";
  if ((r = addProducerCallbacks(p->callbacks, &pc)) != STATUS_SUCCESS)
    return r;
  if ((r = open_client(p, s, at)) != STATUS_SUCCESS)
    return r;
  return open_stream(p, s, at);
}

uint32_t kvsp_open(const kvsp_settings *s, uintptr_t user, kvsp **out, const char **at) {
  kvsp *p = calloc(1, sizeof *p);
  uint32_t r;
  *at = "calloc";
  if (!p)
    return STATUS_NOT_ENOUGH_MEMORY;
  p->user = user;
  p->level = s->log;
  p->client = INVALID_CLIENT_HANDLE_VALUE;
  p->stream = INVALID_STREAM_HANDLE_VALUE;
  kvsp_enlist(p);
  r = open_all(p, s, at);
  if (r != STATUS_SUCCESS) {
    kvsp_free(p);
    p = NULL;
  }
  *out = p;
  return r;
}

uint32_t kvsp_stop(kvsp *p) { return stopKinesisVideoStreamSync(p->stream); }

void kvsp_free(kvsp *p) {
  if (p->stream != INVALID_STREAM_HANDLE_VALUE)
    freeKinesisVideoStream(&p->stream);
  if (p->client != INVALID_CLIENT_HANDLE_VALUE)
    freeKinesisVideoClient(&p->client);
  if (p->callbacks)
    freeCallbacksProvider(&p->callbacks);
  kvsp_delist(p);
  free(p);
}

uint32_t kvsp_put(kvsp *p, uint64_t track, uint64_t pts, uint64_t dts, int key, const void *data, uint32_t size) {
  Frame f = {.version = FRAME_CURRENT_VERSION,
             .index = __atomic_fetch_add(&p->index, 1, __ATOMIC_RELAXED),
             .flags = key ? FRAME_FLAG_KEY_FRAME : FRAME_FLAG_NONE,
             .decodingTs = dts,
             .presentationTs = pts,
             .size = size,
             .frameData = (PBYTE)data,
             .trackId = track};
  return putKinesisVideoFrame(p->stream, &f);
}

uint32_t kvsp_end_fragment(kvsp *p) {
  Frame f = {.version = FRAME_CURRENT_VERSION, .flags = FRAME_FLAG_END_OF_FRAGMENT};
  return putKinesisVideoFrame(p->stream, &f);
}

uint32_t kvsp_set_codec(kvsp *p, uint64_t track, const void *data, uint32_t size) {
  return kinesisVideoStreamFormatChanged(p->stream, size, (PBYTE)data, track);
}

uint32_t kvsp_metadata(kvsp *p, const char *name, const char *value, int persist) {
  return putKinesisVideoFragmentMetadata(p->stream, (PCHAR)name, (PCHAR)value, persist);
}

uint32_t kvsp_signal(kvsp *p, uint32_t events, const char *prefix, const char **names, const char **values, uint32_t pairs) {
  StreamEventMetadata m = {.version = STREAM_EVENT_METADATA_CURRENT_VERSION, .imagePrefix = (PCHAR)prefix, .numberOfPairs = pairs};
  if (pairs > MAX_EVENT_CUSTOM_PAIRS)
    return STATUS_INVALID_ARG;
  for (uint32_t n = 0; n < pairs; n++) {
    m.names[n] = (PCHAR)names[n];
    m.values[n] = (PCHAR)values[n];
  }
  return putKinesisVideoEventMetadata(p->stream, events, &m);
}

uint32_t kvsp_stats(kvsp *p, ClientMetrics *c, StreamMetrics *s) {
  uint32_t r;
  c->version = CLIENT_METRICS_CURRENT_VERSION;
  s->version = STREAM_METRICS_CURRENT_VERSION;
  if ((r = getKinesisVideoMetrics(p->client, c)) != STATUS_SUCCESS)
    return r;
  return getKinesisVideoStreamMetrics(p->stream, s);
}
