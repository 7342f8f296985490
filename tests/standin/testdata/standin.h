/* A stand-in for AWS's producer SDK, to test those who call it. It keeps frames, makes fragments of them, and "sends" them from a thread of its own:
 * into a journal, a file with one line for what happened. The endpoint override says where that is, and what shall go wrong:
 *
 *   file:///path/to/journal#word,word=number
 *
 *   denied        the stream is not authorized: opening reports so, and times out
 *   slow=MS       opening takes so long
 *   stuck         stopping times out, acknowledgements never come
 *   full=N        putting the Nth frame finds the store full
 *   broken=N      the Nth fragment gets ERROR 5001 in place of PERSISTED
 *   pressure      at each fragment's end all the other reports come
 *   storm=N       the first fragment is acknowledged N times more
 *   crawl=MS      each acknowledgement takes so long, with the stream locked
 *
 * As in the SDK, callbacks run on the stand-in's thread with the stream's recursive lock held. */
#ifndef STANDIN_H
#define STANDIN_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include <com/amazonaws/kinesis/video/cproducer/Include.h>

struct ClientCallbacks {
  StreamCallbacks stream;
  ProducerCallbacks producer;
  PlatformCallbacks platform;
  FILE *journal;
  char faults[256];
  pthread_mutex_t lock; /* of the journal */
};

typedef struct client {
  PClientCallbacks callbacks;
  ClientInfo info;
  UINT64 storage;
  atomic_ullong used;
} client;

typedef enum { FRAME, TAG, EVENT, FORMAT } sort;

/* What waits to be sent, in order. */
typedef struct item {
  struct item *next;
  sort what;
  Frame frame;
  int begins, ends; /* the frame begins a fragment; or this is the end of one */
  char *text;
} item;

typedef struct stream {
  client *client;
  StreamInfo info;
  TrackInfo tracks[3];
  pthread_t thread;
  pthread_mutex_t lock; /* recursive; of all below */
  pthread_cond_t work, done;
  item *head, **tail;
  int stopping, closed, cut, started;
  UINT64 puts, fragments, from, last; /* from: the fragment's start */
  int open;                           /* a fragment is open */
  UINT64 sent_at;                     /* the time of the fragment being sent, in ms */
  UINT64 sent;
  StreamMetrics metrics;
} stream;

extern atomic_int standin_devices, standin_providers, standin_clients, standin_streams, standin_items;

long standin_fault(PClientCallbacks c, const char *word); /* -1: not asked for; 0: without a number */
void standin_note(PClientCallbacks c, const char *format, ...) __attribute__((format(printf, 2, 3)));
void standin_log(PClientCallbacks c, UINT32 level, const char *text);
void standin_pause(long ms);
void *standin_send(void *s);
void standin_drop(stream *s, item *i);

#endif
