#include "media.h"

#include <gst/app/app.h>
#include <gst/video/video.h>

/* --- feed: the sources of one media, shared by the media and by Go ------------------------------------ */

static const char *const source_names[GR_SOURCES] = { "video", "audio" };

struct GrFeed {
  gint refs;
  GstAppSrc *source[GR_SOURCES]; /* NULL where the launch line has none */
  GstElement *encoder;           /* NULL where nothing is encoded live */
  GMutex lock;                   /* over the two below */
  GstRTSPMedia *media;           /* not a reference; NULL once it is gone */
  GstClockTime hidden;           /* running time of the last capture that no client gets */
  uintptr_t handle;              /* Go's */
};

static GQuark
feed_quark (void)
{
  return g_quark_from_static_string ("gst-kinesis-camera-feed");
}

static void
on_need_data (GstAppSrc * source, guint length, gpointer user_data)
{
  gstrtspMediaNeed (((GrFeed *) user_data)->handle);
}

static GrFeed *
feed_ref (GrFeed * feed)
{
  g_atomic_int_inc (&feed->refs);
  return feed;
}

void
gr_feed_unref (GrFeed * feed)
{
  int i;

  if (!g_atomic_int_dec_and_test (&feed->refs))
    return;
  for (i = 0; i < GR_SOURCES; i++)
    g_clear_object (&feed->source[i]);
  g_clear_object (&feed->encoder);
  g_mutex_clear (&feed->lock);
  g_free (feed);
}

static void
feed_unref_closure (gpointer feed)
{
  gr_feed_unref (feed);
}

/* The media is finalized: the pipeline is gone, nothing will be asked for any more. The callbacks go first, for they
 * hold the feed, which holds the sources. */
static void
feed_media_gone (gpointer user_data)
{
  GstAppSrcCallbacks none = { 0, };
  GrFeed *feed = user_data;
  int i;

  for (i = 0; i < GR_SOURCES; i++)
    if (feed->source[i])
      gst_app_src_set_callbacks (feed->source[i], &none, NULL, NULL);

  gstrtspMediaGone (feed->handle);
  gr_feed_unref (feed);
}

static GrFeed *
feed_new (GstElement * bin, GstRTSPMedia * media)
{
  GstAppSrcCallbacks callbacks = { 0, };
  GrFeed *feed = g_new0 (GrFeed, 1);
  int i;

  feed->refs = 1;
  feed->media = media;
  g_mutex_init (&feed->lock);
  callbacks.need_data = on_need_data;
  for (i = 0; i < GR_SOURCES; i++) {
    GstElement *e = gst_bin_get_by_name (GST_BIN (bin), source_names[i]);
    if (!e)
      continue;
    feed->source[i] = GST_APP_SRC (e);
    /* Pace and bounds are the feeder's: the queue neither blocks nor drops by itself. */
    g_object_set (e, "is-live", TRUE, "format", GST_FORMAT_TIME, "block", FALSE, "max-bytes", (guint64) 0,
        "max-buffers", (guint64) 0, "max-time", (guint64) 0, "do-timestamp", FALSE, "min-latency", (gint64) 0, NULL);
    gst_app_src_set_callbacks (feed->source[i], &callbacks, feed_ref (feed), feed_unref_closure);
  }
  feed->encoder = gst_bin_get_by_name (GST_BIN (bin), "encoder");
  return feed;
}

void
gr_feed_attach (GstRTSPMedia * media, uintptr_t mount)
{
  GstElement *bin = gst_rtsp_media_get_element (media);
  GrFeed *feed = feed_new (bin, media);

  gst_object_unref (bin);
  feed->handle = gstrtspMediaNew (mount, feed_ref (feed));
  g_object_set_qdata_full (G_OBJECT (media), feed_quark (), feed, feed_media_gone);
}

void
gr_feed_played (GstRTSPMedia * media)
{
  GrFeed *feed = g_object_get_qdata (G_OBJECT (media), feed_quark ());

  if (feed)
    gstrtspMediaPlay (feed->handle);
}

void
gr_feed_failed (GstRTSPMedia * media, GstMessage * message)
{
  GrFeed *feed = g_object_get_qdata (G_OBJECT (media), feed_quark ());
  GError *gerror = NULL;
  char *debug = NULL;

  if (!feed)
    return;
  gst_message_parse_error (message, &gerror, &debug);
  gstrtspMediaFailed (feed->handle, gerror->message, debug ? debug : "");
  g_error_free (gerror);
  g_free (debug);
}

void
gr_feed_ignore (GstRTSPStreamTransport * transport)
{
  g_object_set_qdata (G_OBJECT (transport), feed_quark (), transport);
}

static GstRTSPFilterResult
count_transport (GstRTSPStream * stream, GstRTSPStreamTransport * transport, gpointer count)
{
  if (!g_object_get_qdata (G_OBJECT (transport), feed_quark ()))
    ++*(int *) count;
  return GST_RTSP_FILTER_KEEP;
}

int
gr_feed_viewers (GrFeed * feed)
{
  int count = 0;
  guint i;

  g_mutex_lock (&feed->lock);
  for (i = 0; feed->media && i < gst_rtsp_media_n_streams (feed->media); i++)
    gst_rtsp_stream_transport_filter (gst_rtsp_media_get_stream (feed->media, i), count_transport, &count);
  g_mutex_unlock (&feed->lock);
  return count;
}

int
gr_feed_has (GrFeed * feed, int i)
{
  return feed->source[i] != NULL;
}

int
gr_feed_set_caps (GrFeed * feed, int i, const char *text)
{
  GstCaps *caps = gst_caps_from_string (text);

  if (!caps || !feed->source[i])
    return 0;
  gst_app_src_set_caps (feed->source[i], caps);
  gst_caps_unref (caps);
  return 1;
}

/* push gives the source a copy of the buffer that shares its memory. */
static int
push (GrFeed * feed, int i, GstBuffer * buffer, const GrTimes * t, uint64_t max_level, gboolean hide)
{
  GstAppSrc *source = feed->source[i];
  GstClockTime base;
  GstBuffer *b;

  /* The pipeline hands its base time down before it asks its elements to play, so who reads the target first reads a
   * base time that belongs to it. */
  if (GST_STATE_TARGET (source) != GST_STATE_PLAYING)
    return GR_PUSH_IDLE;
  base = gst_element_get_base_time (GST_ELEMENT (source));
  if (t->pts < base)
    return GR_PUSH_IDLE;
  if (gst_app_src_get_current_level_buffers (source) >= max_level)
    return GR_PUSH_FULL;
  b = gst_buffer_copy (buffer);
  GST_BUFFER_PTS (b) = t->pts - base;
  GST_BUFFER_DTS (b) = t->dts > base ? t->dts - base : 0;
  GST_BUFFER_DURATION (b) = t->duration < 0 ? GST_CLOCK_TIME_NONE : (GstClockTime) t->duration;
  GST_BUFFER_FLAG_UNSET (b, GST_BUFFER_FLAG_DISCONT | GST_BUFFER_FLAG_RESYNC);
  if (hide) {
    g_mutex_lock (&feed->lock);
    feed->hidden = MAX (feed->hidden, t->pts - base);
    g_mutex_unlock (&feed->lock);
  }
  switch (gst_app_src_push_buffer (source, b)) {
    case GST_FLOW_OK:
      return GR_PUSH_OK;
    case GST_FLOW_FLUSHING:
      return GR_PUSH_IDLE;
    default:
      return GR_PUSH_FAILED;
  }
}

int
gr_feed_push (GrFeed * feed, int i, GstBuffer * buffer, const GrTimes * t, uint64_t max_level)
{
  return push (feed, i, buffer, t, max_level, FALSE);
}

int
gr_feed_prime (GrFeed * feed, int i, GstBuffer * buffer, const GrTimes * t)
{
  return push (feed, i, buffer, t, G_MAXUINT64, TRUE);
}

/* running_time is that of an RTP packet on its way out; none if it has no time. */
static GstClockTime
running_time (GstPad * pad, GstPadProbeInfo * info)
{
  GstBuffer *buffer = (info->type & GST_PAD_PROBE_TYPE_BUFFER_LIST)
      ? gst_buffer_list_get (GST_PAD_PROBE_INFO_BUFFER_LIST (info), 0) : GST_PAD_PROBE_INFO_BUFFER (info);
  GstEvent *event = gst_pad_get_sticky_event (pad, GST_EVENT_SEGMENT, 0);
  GstClockTime time = GST_CLOCK_TIME_NONE;
  const GstSegment *segment;

  if (!event)
    return time;
  gst_event_parse_segment (event, &segment);
  time = gst_segment_to_running_time (segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer));
  gst_event_unref (event);
  return time;
}

static GstPadProbeReturn
hide_first (GstPad * pad, GstPadProbeInfo * info, gpointer user_data)
{
  GrFeed *feed = user_data;
  GstClockTime at = running_time (pad, info);
  gboolean hide;

  g_mutex_lock (&feed->lock);
  hide = GST_CLOCK_TIME_IS_VALID (at) && at <= feed->hidden;
  g_mutex_unlock (&feed->lock);
  return hide ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_REMOVE;
}

void
gr_feed_hide_first (GstRTSPMedia * media, GstPad * pad)
{
  GrFeed *feed = g_object_get_qdata (G_OBJECT (media), feed_quark ());

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, hide_first, feed_ref (feed),
      feed_unref_closure);
}

void
gr_feed_force_key (GrFeed * feed)
{
  if (feed->encoder)
    gst_element_send_event (feed->encoder, gst_video_event_new_upstream_force_key_unit (GST_CLOCK_TIME_NONE, TRUE, 0));
}
