#include "media.h"

#include <gst/app/app.h>

/* --- the media class: what a camera wants of the RTP session ------------------------------------------ */

#define GR_TYPE_MEDIA (gr_media_get_type ())
G_DECLARE_FINAL_TYPE (GrMedia, gr_media, GR, MEDIA, GstRTSPMedia)

struct _GrMedia {
  GstRTSPMedia parent;
  GstElement *rtpbin; /* not a reference: it lives in the media's pipeline */
};

G_DEFINE_TYPE (GrMedia, gr_media, GST_TYPE_RTSP_MEDIA)

/* A sender report pairs an RTP time with the wall clock at the moment of capture, not of sending: with B-frames the two
 * are frames apart, and a reader wants to know when the picture was taken. */
static gboolean
gr_media_setup_rtpbin (GstRTSPMedia * media, GstElement * rtpbin)
{
  GR_MEDIA (media)->rtpbin = rtpbin;
  g_object_set (rtpbin, "rtcp-sync-send-time", FALSE, NULL);
  gst_util_set_object_arg (G_OBJECT (rtpbin), "ntp-time-source", "ntp");
  return TRUE;
}

/* An error ends the media for good; who runs the server hears of it. */
static gboolean
gr_media_handle_message (GstRTSPMedia * media, GstMessage * message)
{
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gr_feed_failed (media, message);
  return GST_RTSP_MEDIA_CLASS (gr_media_parent_class)->handle_message (media, message);
}

static void
gr_media_class_init (GrMediaClass * klass)
{
  GST_RTSP_MEDIA_CLASS (klass)->setup_rtpbin = gr_media_setup_rtpbin;
  GST_RTSP_MEDIA_CLASS (klass)->handle_message = gr_media_handle_message;
}

static void
gr_media_init (GrMedia * media)
{
}

/* --- the factory class: one media for a mount, whatever the URL that a client came by ----------------- */

struct _GrFactory {
  GstRTSPMediaFactory parent;
};

G_DECLARE_FINAL_TYPE (GrFactory, gr_factory, GR, FACTORY, GstRTSPMediaFactory)
G_DEFINE_TYPE (GrFactory, gr_factory, GST_TYPE_RTSP_MEDIA_FACTORY)

static gchar *
gr_factory_gen_key (GstRTSPMediaFactory * factory, const GstRTSPUrl * url)
{
  return g_strdup ("the only one");
}

static void
gr_factory_class_init (GrFactoryClass * klass)
{
  GST_RTSP_MEDIA_FACTORY_CLASS (klass)->gen_key = gr_factory_gen_key;
}

static void
gr_factory_init (GrFactory * factory)
{
}

/* --- mount -------------------------------------------------------------------------------------------- */

/* Handler of media-configure; mount is Go's handle. */
static void
on_configure (GstRTSPMediaFactory * factory, GstRTSPMedia * media, gpointer mount)
{
  gr_feed_attach (media, (uintptr_t) mount);
}

GrMount *
gr_mount_new (const char *path, const char *launch, GstRTSPLowerTrans transports, GSocketFamily family, uintptr_t handle)
{
  GrMount *mount = g_new0 (GrMount, 1);
  char *line = g_strdup_printf ("( %s )", launch);

  mount->path = g_strdup (path);
  mount->transports = transports;
  mount->family = family;
  mount->factory = g_object_new (gr_factory_get_type (), NULL);
  gst_rtsp_media_factory_set_launch (mount->factory, line);
  gst_rtsp_media_factory_set_media_gtype (mount->factory, GR_TYPE_MEDIA);
  gst_rtsp_media_factory_set_shared (mount->factory, TRUE);
  gst_rtsp_media_factory_set_protocols (mount->factory, transports);
  g_signal_connect (mount->factory, "media-configure", G_CALLBACK (on_configure), (gpointer) handle);
  g_free (line);
  return mount;
}

void
gr_mount_free (GrMount * mount)
{
  g_object_unref (mount->factory);
  g_free (mount->path);
  g_free (mount);
}

static gboolean
take_all (gpointer data, guint8 channel, gpointer transport)
{
  gst_rtsp_stream_transport_message_sent (transport);
  return TRUE;
}

static gboolean
take_packet (GstBuffer * buffer, guint8 channel, gpointer transport)
{
  return take_all (buffer, channel, transport);
}

static gboolean
take_packets (GstBufferList * list, guint8 channel, gpointer transport)
{
  return take_all (list, channel, transport);
}

/* new_keeper is the TCP transport of a client that is always there, takes everything and throws it away.
 * Without it a stream that nobody plays has no sink and stays blocked, with a picture in it that grows old. And with it two
 * ways in which gst-rtsp-server 1.22 lets a stream come to a halt are closed: when TCP clients are gone or all of them slow,
 * their sink takes nothing, and the tee before it holds up the UDP clients, too; and when RTP and RTCP come at one moment
 * the thread that sends by TCP sees only one of them, until the next message was sent. */
static GstRTSPStreamTransport *
new_keeper (GstRTSPStream * stream, guint index)
{
  GstRTSPTransport *transport;
  GstRTSPStreamTransport *keeper;

  gst_rtsp_transport_new (&transport);
  transport->trans = GST_RTSP_TRANS_RTP;
  transport->profile = GST_RTSP_PROFILE_AVP;
  transport->lower_transport = GST_RTSP_LOWER_TRANS_TCP;
  transport->interleaved.min = 2 * index;
  transport->interleaved.max = 2 * index + 1;
  keeper = gst_rtsp_stream_transport_new (stream, transport);
  gst_rtsp_stream_transport_set_callbacks (keeper, take_packet, take_packet, keeper, NULL);
  gst_rtsp_stream_transport_set_list_callbacks (keeper, take_packets, take_packets, keeper, NULL);
  gr_feed_ignore (keeper);
  return keeper;
}

static gboolean
complete_udp (GstRTSPStream * stream, GSocketFamily family)
{
  GstRTSPTransport *transport;
  gboolean ok;

  gst_rtsp_transport_new (&transport);
  transport->trans = GST_RTSP_TRANS_RTP;
  transport->profile = GST_RTSP_PROFILE_AVP;
  transport->lower_transport = GST_RTSP_LOWER_TRANS_UDP;
  ok = gst_rtsp_stream_allocate_udp_sockets (stream, family, transport, FALSE)
      && gst_rtsp_stream_complete_stream (stream, transport);
  gst_rtsp_transport_free (transport);
  return ok;
}

static void
allow (GstRTSPMedia * media, GstRTSPLowerTrans transports)
{
  guint i, n = gst_rtsp_media_n_streams (media);

  for (i = 0; i < n; i++)
    gst_rtsp_stream_set_protocols (gst_rtsp_media_get_stream (media, i), transports);
}

/* All branches that clients may want are there before data flows, so that none has to be put in later. */
static gboolean
complete_streams (GrMount * mount)
{
  guint i, n = gst_rtsp_media_n_streams (mount->media);
  gboolean ok = TRUE;

  mount->keepers = g_ptr_array_new_with_free_func (g_object_unref);
  allow (mount->media, mount->transports | GST_RTSP_LOWER_TRANS_TCP); /* for the keepers */
  for (i = 0; ok && i < n; i++) {
    GstRTSPStream *stream = gst_rtsp_media_get_stream (mount->media, i);

    if (mount->transports & GST_RTSP_LOWER_TRANS_UDP)
      ok = complete_udp (stream, mount->family);
    g_ptr_array_add (mount->keepers, new_keeper (stream, i));
  }
  ok = ok && gst_rtsp_media_complete_pipeline (mount->media, mount->keepers);
  allow (mount->media, mount->transports);
  return ok;
}

/* The server brings a TCP client's RTCP in by an appsrc without caps, which upsets the funnel where the caps of UDP clients
 * arrive later: GStreamer 1.22 warns of sticky events out of order. */
static void
name_rtcp (const GValue * item, gpointer caps)
{
  GstElement *element = g_value_get_object (item);

  if (GST_IS_APP_SRC (element))
    gst_app_src_set_caps (GST_APP_SRC (element), caps);
}

static void
name_incoming_rtcp (GstRTSPMedia * media)
{
  GstElement *bin = gst_rtsp_media_get_element (media);
  GstObject *pipeline = gst_object_get_parent (GST_OBJECT (bin));
  GstCaps *caps = gst_caps_new_empty_simple ("application/x-rtcp");
  GstIterator *elements = gst_bin_iterate_elements (GST_BIN (pipeline));

  while (gst_iterator_foreach (elements, name_rtcp, caps) == GST_ITERATOR_RESYNC)
    gst_iterator_resync (elements);
  gst_iterator_free (elements);
  gst_caps_unref (caps);
  gst_object_unref (pipeline);
  gst_object_unref (bin);
}

static void
hide_first (GstRTSPMedia * media)
{
  guint i, n = gst_rtsp_media_n_streams (media);

  for (i = 0; i < n; i++) {
    char *name = g_strdup_printf ("send_rtp_src_%u", i);
    GstPad *pad = gst_element_get_static_pad (GR_MEDIA (media)->rtpbin, name);

    if (pad) {
      gr_feed_hide_first (media, pad);
      gst_object_unref (pad);
    }
    g_free (name);
  }
}

gboolean
gr_mount_wake (GrMount * mount, GstRTSPThreadPool * pool, GrError * err)
{
  GstRTSPUrl *url = NULL;
  char *text = g_strconcat ("rtsp://127.0.0.1", mount->path, NULL);

  if (gst_rtsp_url_parse (text, &url) == GST_RTSP_OK)
    mount->media = gst_rtsp_media_factory_construct (mount->factory, url);
  g_clear_pointer (&url, gst_rtsp_url_free);
  g_free (text);
  if (!mount->media) {
    gr_error_say (err, "the media cannot be made");
    return FALSE;
  }
  if (!gst_rtsp_media_prepare (mount->media, gst_rtsp_thread_pool_get_thread (pool, GST_RTSP_THREAD_TYPE_MEDIA, NULL))) {
    g_clear_object (&mount->media);
    gr_error_say (err, "the media does not start");
    return FALSE;
  }
  if (!complete_streams (mount)) {
    gr_error_say (err, "the media has no way to its clients");
    return FALSE;
  }
  name_incoming_rtcp (mount->media);
  hide_first (mount->media);
  if (!gst_rtsp_media_set_state (mount->media, GST_STATE_PLAYING, mount->keepers)) {
    gr_error_say (err, "the media does not play");
    return FALSE;
  }
  return TRUE;
}

void
gr_mount_rest (GrMount * mount)
{
  guint i;

  if (!mount->media)
    return;
  for (i = 0; mount->keepers && i < mount->keepers->len; i++)
    gst_rtsp_stream_transport_set_active (g_ptr_array_index (mount->keepers, i), FALSE);
  g_clear_pointer (&mount->keepers, g_ptr_array_unref);
  gst_rtsp_media_unprepare (mount->media);
  g_clear_object (&mount->media);
}
