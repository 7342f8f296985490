/* The C half of package gstrtsp: gst-rtsp-server and the few calls of GStreamer that a camera needs.
 * Every string that a function returns is the caller's, to be given back with gr_free. */
#ifndef GSTRTSP_H
#define GSTRTSP_H

#include <gst/gst.h>
#include <stdint.h>

/* --- errors ------------------------------------------------------------------------------------------- */

typedef struct {
  char *domain;  /* quark of the GError, e.g. gst-resource-error-quark */
  int code;
  char *message; /* NULL: no error */
  char *debug;
  char *missing; /* installer detail of a missing plug-in, NULL if none is missing */
} GrError;

void gr_error_clear (GrError * err);
void gr_error_set (GrError * err, const GError * gerror, const char *debug);
void gr_error_say (GrError * err, const char *message);
void gr_free (void *p);

/* --- GStreamer ---------------------------------------------------------------------------------------- */

int gr_init (GrError * err);
/* gr_monotonic: nanoseconds of GStreamer's system clock. */
uint64_t gr_monotonic (void);

/* --- files -------------------------------------------------------------------------------------------- */

typedef struct {
  char *container_caps; /* NULL for an elementary stream */
  char *video_caps;     /* NULL where there is no video */
  char *audio_caps;
  int64_t duration;     /* ns, -1 unknown */
} GrProbe;

int gr_probe (const char *path, uint64_t timeout, GrProbe * out, GrError * err);
void gr_probe_clear (GrProbe * probe);

typedef struct {
  GstBuffer *buffer; /* one reference, the owner of the unit's */
  int64_t pts;       /* running time, ns; INT64_MIN where the container has none */
  int64_t duration;  /* ns, -1 unknown */
  uint64_t size;     /* bytes */
  int32_t key;
} GrUnit;

typedef struct GrReel GrReel; /* what one run of a pipeline left in its appsinks */

/* gr_collect runs the launch line until EOS and keeps every buffer that reaches the appsinks named "video" and "audio".
 * location is given to the element named "file". It stops with an error beyond max_bytes, and without one when *cancel
 * becomes non-zero (then it returns NULL with err->message unset). */
GrReel *gr_collect (const char *launch, const char *location, uint64_t max_bytes, const int32_t * cancel, GrError * err);
uint32_t gr_reel_count (GrReel * reel, int audio);
GrUnit *gr_reel_units (GrReel * reel, int audio);
const char *gr_reel_caps (GrReel * reel, int audio);
int gr_reel_caps_changed (GrReel * reel, int audio);
/* gr_reel_free gives back the arrays; the buffers belong to who took them. */
void gr_reel_free (GrReel * reel, int with_buffers);

/* gr_display_order decodes count buffers (in decoding order) with the launch line, which has an appsrc "source" and an
 * appsink "sink", and writes for each picture that comes out, in the order of display, the number of the buffer it came
 * from. It returns how many came out, or -1. */
int gr_display_order (const char *launch, const char *caps, GstBuffer ** buffers, uint32_t count, uint32_t * order,
    GrError * err);

/* --- buffers ------------------------------------------------------------------------------------------ */

GstBuffer *gr_buffer_new (uint64_t size);
GstBuffer *gr_buffer_from (const void *data, uint64_t size);
int gr_buffer_open (GstBuffer * buffer, GstMapInfo * map, int write);
void gr_buffer_close (GstBuffer * buffer, GstMapInfo * map);
void gr_buffer_unref (GstBuffer * buffer);

/* --- server ------------------------------------------------------------------------------------------- */

typedef struct GrServer GrServer;

typedef struct {
  const char *address;
  const char *service;
  const char *user; /* NULL: everybody may look */
  const char *password;
  int tcp, udp;
  int max_threads;
  uintptr_t handle; /* given to gstrtspClient */
} GrServerConfig;

GrServer *gr_server_new (const GrServerConfig * config);
int gr_server_mount (GrServer * server, const char *path, const char *launch, uintptr_t handle, GrError * err);
/* gr_server_start binds, brings the media of all mounts to life and serves on a thread of its own; it returns the bound
 * port or -1. */
int gr_server_start (GrServer * server, GrError * err);
/* gr_server_stop closes the port and all clients' connections and ends the thread. */
void gr_server_stop (GrServer * server);
void gr_server_free (GrServer * server);

/* --- a live media's sources --------------------------------------------------------------------------- */

typedef struct GrFeed GrFeed;

enum { GR_PUSH_OK = 0, GR_PUSH_IDLE = 1, GR_PUSH_FULL = 2, GR_PUSH_FAILED = 3 };

/* Times on GStreamer's system clock, ns. */
typedef struct {
  uint64_t pts;     /* of capture */
  uint64_t dts;     /* never falls from buffer to buffer: gst-rtsp-server aborts where a slow client's backlog goes back */
  int64_t duration; /* -1 unknown */
} GrTimes;

/* gr_feed_push hands one buffer to source number i. The buffer stays the caller's: its memory is shared, its times are
 * not. Nothing is pushed where the pipeline does not play (IDLE) or where max_level buffers already wait (FULL). */
int gr_feed_push (GrFeed * feed, int i, GstBuffer * buffer, const GrTimes * times, uint64_t max_level);
/* gr_feed_prime is gr_feed_push for a source's first buffer, which no client gets. */
int gr_feed_prime (GrFeed * feed, int i, GstBuffer * buffer, const GrTimes * times);
int gr_feed_set_caps (GrFeed * feed, int i, const char *caps);
int gr_feed_has (GrFeed * feed, int i);
void gr_feed_force_key (GrFeed * feed);
/* gr_feed_viewers counts the streams that clients play. */
int gr_feed_viewers (GrFeed * feed);
void gr_feed_unref (GrFeed * feed);

/* --- what Go provides --------------------------------------------------------------------------------- */

extern uintptr_t gstrtspMediaNew (uintptr_t mount, GrFeed * feed);
extern void gstrtspMediaNeed (uintptr_t media);
extern void gstrtspMediaPlay (uintptr_t media);
extern void gstrtspMediaFailed (uintptr_t media, char *message, char *debug);
extern void gstrtspMediaGone (uintptr_t media);
extern void gstrtspClient (uintptr_t server, int event, char *peer, char *path);

enum { GR_CLIENT_CONNECTED = 0, GR_CLIENT_PLAYS = 1, GR_CLIENT_CLOSED = 2 };

#endif
