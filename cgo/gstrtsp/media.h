/* What server.c, media.c and feed.c know of each other. */
#ifndef GSTRTSP_MEDIA_H
#define GSTRTSP_MEDIA_H

#include "gstrtsp.h"

#include <gio/gio.h>
#include <gst/rtsp-server/rtsp-server.h>

/* --- feed.c ------------------------------------------------------------------------------------------- */

#define GR_SOURCES 2

/* gr_feed_attach gives a new media its feed and lets Go begin. mount is Go's handle. */
void gr_feed_attach (GstRTSPMedia * media, uintptr_t mount);
/* gr_feed_hide_first drops on this pad, where RTP leaves, what was given by gr_feed_prime. */
void gr_feed_hide_first (GstRTSPMedia * media, GstPad * pad);
/* gr_feed_ignore says that a transport is not a viewer's. */
void gr_feed_ignore (GstRTSPStreamTransport * transport);
/* A client began to play this media. */
void gr_feed_played (GstRTSPMedia * media);
/* The media's pipeline posted an error. */
void gr_feed_failed (GstRTSPMedia * media, GstMessage * message);

/* --- media.c ------------------------------------------------------------------------------------------ */

/* A mount's media lives as long as the server: nobody waits for a pipeline to start, and no client meets one that is just
 * going away. */
typedef struct {
  char *path;
  GstRTSPMediaFactory *factory;
  GstRTSPLowerTrans transports;
  GSocketFamily family;
  GstRTSPMedia *media; /* NULL before gr_mount_wake */
  GPtrArray *keepers;  /* of GstRTSPStreamTransport; NULL before gr_mount_wake */
} GrMount;

GrMount *gr_mount_new (const char *path, const char *launch, GstRTSPLowerTrans transports, GSocketFamily family,
    uintptr_t handle);
void gr_mount_free (GrMount * mount);
/* gr_mount_wake brings the media to PLAYING, sending to nobody. It blocks until every source has sent something. */
gboolean gr_mount_wake (GrMount * mount, GstRTSPThreadPool * pool, GrError * err);
/* gr_mount_rest ends the media; clients must be gone. */
void gr_mount_rest (GrMount * mount);

#endif
