/* Devices, callbacks and clients of the stand-in: see standin.h. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "standin.h"

atomic_int standin_devices, standin_providers, standin_clients, standin_streams, standin_items;

long standin_fault(PClientCallbacks c, const char *word) {
  size_t n = strlen(word);
  for (const char *at = c->faults; *at; at += strcspn(at, ","), at += *at == ',') {
    if (strncmp(at, word, n) == 0 && (at[n] == 0 || at[n] == ',' || at[n] == '='))
      return at[n] == '=' ? atol(at + n + 1) : 0;
  }
  return -1;
}

void standin_note(PClientCallbacks c, const char *format, ...) {
  va_list args;
  if (!c->journal)
    return;
  va_start(args, format);
  pthread_mutex_lock(&c->lock);
  vfprintf(c->journal, format, args);
  fflush(c->journal);
  pthread_mutex_unlock(&c->lock);
  va_end(args);
}

void standin_log(PClientCallbacks c, UINT32 level, const char *text) {
  if (c->platform.logPrintFn)
    c->platform.logPrintFn(level, (PCHAR)"standin", (PCHAR)"%s, level %d", text, (int)level);
}

void standin_pause(long ms) {
  struct timespec t = {ms / 1000, ms % 1000 * 1000000};
  nanosleep(&t, NULL);
}

STATUS createDefaultCallbacksProviderWithAwsCredentialsAndEndpointOverride(PCHAR access, PCHAR secret, PCHAR token, UINT64 expiration, PCHAR region,
                                                                          PCHAR ca, PCHAR postfix, PCHAR agent, PCHAR endpoint, PClientCallbacks *out) {
  PClientCallbacks c;
  char path[1024];
  const char *hash;
  if (!access || !secret || !out)
    return STATUS_NULL_ARG;
  if (!endpoint || strncmp(endpoint, "file://", 7) != 0)
    return STATUS_INVALID_ARG;
  if (!(c = calloc(1, sizeof *c)))
    return STATUS_NOT_ENOUGH_MEMORY;
  hash = strchrnul(endpoint, '#');
  snprintf(path, sizeof path, "%.*s", (int)(hash - endpoint - 7), endpoint + 7);
  if (*hash)
    snprintf(c->faults, sizeof c->faults, "%s", hash + 1);
  if (!(c->journal = fopen(path, "a"))) {
    free(c);
    return STATUS_INVALID_ARG;
  }
  pthread_mutex_init(&c->lock, NULL);
  standin_providers++;
  standin_note(c, "provider access=%s secret=%s token=%s region=%s ca=%s agent=%s expires=%d\n", access, secret, token ? token : "-",
               region ? region : "-", ca ? ca : "-", postfix ? postfix : "-", expiration != MAX_UINT64);
  *out = c;
  return STATUS_SUCCESS;
}

STATUS freeCallbacksProvider(PClientCallbacks *at) {
  PClientCallbacks c = *at;
  standin_providers--;
  standin_note(c, "freed devices=%d providers=%d clients=%d streams=%d items=%d\n", standin_devices, standin_providers, standin_clients, standin_streams,
               standin_items);
  fclose(c->journal);
  pthread_mutex_destroy(&c->lock);
  free(c);
  *at = NULL;
  return STATUS_SUCCESS;
}

STATUS setPlatformCallbacks(PClientCallbacks c, PPlatformCallbacks p) { return c->platform = *p, STATUS_SUCCESS; }
STATUS addProducerCallbacks(PClientCallbacks c, PProducerCallbacks p) { return c->producer = *p, STATUS_SUCCESS; }
STATUS addStreamCallbacks(PClientCallbacks c, PStreamCallbacks s) { return c->stream = *s, STATUS_SUCCESS; }

STATUS createDefaultDeviceInfo(PDeviceInfo *out) {
  if (!(*out = calloc(1, sizeof **out)))
    return STATUS_NOT_ENOUGH_MEMORY;
  standin_devices++;
  return STATUS_SUCCESS;
}

STATUS setDeviceInfoStorageSize(PDeviceInfo d, UINT64 size) {
  if (size < 10 << 20)
    return STATUS_INVALID_STORAGE_SIZE;
  d->storageInfo.storageSize = size;
  return STATUS_SUCCESS;
}

STATUS freeDeviceInfo(PDeviceInfo *at) {
  free(*at);
  *at = NULL;
  standin_devices--;
  return STATUS_SUCCESS;
}

STATUS createKinesisVideoClientSync(PDeviceInfo d, PClientCallbacks c, PCLIENT_HANDLE out) {
  client *k = calloc(1, sizeof *k);
  if (!k)
    return STATUS_NOT_ENOUGH_MEMORY;
  k->callbacks = c;
  k->info = d->clientInfo;
  k->storage = d->storageInfo.storageSize;
  standin_clients++;
  standin_note(c, "client storage=%llu open=%llu stop=%llu log=%u continuous=%d\n", (unsigned long long)k->storage,
               (unsigned long long)k->info.createStreamTimeout, (unsigned long long)k->info.stopStreamTimeout, k->info.loggerLogLevel,
               k->info.automaticStreamingFlags == AUTOMATIC_STREAMING_ALWAYS_CONTINUOUS);
  standin_log(c, 2, "client made");
  standin_log(c, 5, "client made");
  *out = (CLIENT_HANDLE)(uintptr_t)k;
  return STATUS_SUCCESS;
}

STATUS freeKinesisVideoClient(PCLIENT_HANDLE at) {
  free((client *)(uintptr_t)*at);
  *at = INVALID_CLIENT_HANDLE_VALUE;
  standin_clients--;
  return STATUS_SUCCESS;
}

STATUS getKinesisVideoMetrics(CLIENT_HANDLE h, PClientMetrics m) {
  client *k = (client *)(uintptr_t)h;
  m->contentStoreSize = k->storage;
  m->contentStoreAllocatedSize = k->used;
  m->contentStoreAvailableSize = k->storage - k->used;
  return STATUS_SUCCESS;
}
