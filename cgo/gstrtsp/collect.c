#include "gstrtsp.h"

#include <gst/app/app.h>
#include <gst/pbutils/pbutils.h>
#include <string.h>

/* How often a run that collects looks at its cancel flag. */
#define LOOK_INTERVAL (100 * GST_MSECOND)

typedef struct {
  GArray *units; /* of GrUnit */
  GstCaps *caps;
  char *caps_text;
  gboolean caps_changed;
  GrReel *reel;
} Track;

struct GrReel {
  Track track[2]; /* video, audio */
  gint64 bytes;   /* atomic by lock */
  guint64 max_bytes;
  gint too_big; /* atomic */
  GMutex lock;
};

static void
keep_caps (Track * track, GstCaps * caps)
{
  if (!caps || track->caps == caps)
    return;
  if (!track->caps)
    track->caps_text = gst_caps_to_string (caps);
  else if (!gst_caps_is_equal (track->caps, caps))
    track->caps_changed = TRUE;
  gst_caps_replace (&track->caps, caps);
}

static void
keep_sample (Track * track, GstSample * sample)
{
  GstBuffer *buffer = gst_sample_get_buffer (sample);
  const GstSegment *segment = gst_sample_get_segment (sample);
  GrUnit unit = { 0, };
  guint64 running = 0;
  int sign;

  unit.pts = G_MININT64;
  unit.duration = -1;
  if (GST_BUFFER_PTS_IS_VALID (buffer)) {
    sign = gst_segment_to_running_time_full (segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer), &running);
    if (sign != 0)
      unit.pts = sign * (gint64) running;
  }
  if (GST_BUFFER_DURATION_IS_VALID (buffer))
    unit.duration = GST_BUFFER_DURATION (buffer);
  unit.size = gst_buffer_get_size (buffer);
  unit.key = !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  unit.buffer = gst_buffer_ref (buffer);

  keep_caps (track, gst_sample_get_caps (sample));
  g_array_append_val (track->units, unit);
}

static GstFlowReturn
on_sample (GstAppSink * sink, gpointer user_data)
{
  Track *track = user_data;
  GrReel *reel = track->reel;
  GstSample *sample = gst_app_sink_pull_sample (sink);
  GstFlowReturn ret = GST_FLOW_OK;

  if (!sample)
    return GST_FLOW_OK;
  g_mutex_lock (&reel->lock);
  reel->bytes += gst_buffer_get_size (gst_sample_get_buffer (sample));
  if ((guint64) reel->bytes > reel->max_bytes) {
    g_atomic_int_set (&reel->too_big, 1);
    ret = GST_FLOW_EOS; /* the waiting side sees too_big at its next look */
  } else {
    keep_sample (track, sample);
  }
  g_mutex_unlock (&reel->lock);
  gst_sample_unref (sample);
  return ret;
}

static GrReel *
reel_new (guint64 max_bytes)
{
  GrReel *reel = g_new0 (GrReel, 1);
  int i;

  g_mutex_init (&reel->lock);
  reel->max_bytes = max_bytes;
  for (i = 0; i < 2; i++) {
    reel->track[i].units = g_array_new (FALSE, FALSE, sizeof (GrUnit));
    reel->track[i].reel = reel;
  }
  return reel;
}

void
gr_reel_free (GrReel * reel, int with_buffers)
{
  guint i, k;

  for (i = 0; i < 2; i++) {
    Track *track = &reel->track[i];
    for (k = 0; with_buffers && k < track->units->len; k++)
      gst_buffer_unref (g_array_index (track->units, GrUnit, k).buffer);
    g_array_free (track->units, TRUE);
    gst_caps_replace (&track->caps, NULL);
    g_free (track->caps_text);
  }
  g_mutex_clear (&reel->lock);
  g_free (reel);
}

uint32_t
gr_reel_count (GrReel * reel, int audio)
{
  return reel->track[audio].units->len;
}

GrUnit *
gr_reel_units (GrReel * reel, int audio)
{
  return (GrUnit *) reel->track[audio].units->data;
}

const char *
gr_reel_caps (GrReel * reel, int audio)
{
  return reel->track[audio].caps_text;
}

int
gr_reel_caps_changed (GrReel * reel, int audio)
{
  return reel->track[audio].caps_changed;
}

static void
take_missing (GrError * err, GstMessage * msg)
{
  if (gst_is_missing_plugin_message (msg) && !err->missing)
    err->missing = gst_missing_plugin_message_get_installer_detail (msg);
}

static void
take_error (GrError * err, GstMessage * msg)
{
  GError *gerror = NULL;
  char *debug = NULL;

  gst_message_parse_error (msg, &gerror, &debug);
  gr_error_set (err, gerror, debug);
  g_error_free (gerror);
  g_free (debug);
}

/* run_to_end returns TRUE at EOS; FALSE with an error, or without one when cancelled. */
static gboolean
run_to_end (GstElement * pipeline, const gint32 * cancel, const gint * too_big, GrError * err)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  gboolean done = FALSE, ok = FALSE;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while (!done) {
    GstMessage *msg = gst_bus_timed_pop_filtered (bus, LOOK_INTERVAL,
        GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_ELEMENT);
    if (too_big && g_atomic_int_get (too_big)) {
      gr_error_say (err, "too big");
      done = TRUE;
    } else if (cancel && __atomic_load_n (cancel, __ATOMIC_ACQUIRE)) {
      done = TRUE;
    } else if (msg && GST_MESSAGE_TYPE (msg) == GST_MESSAGE_EOS) {
      done = ok = TRUE;
    } else if (msg && GST_MESSAGE_TYPE (msg) == GST_MESSAGE_ERROR) {
      take_error (err, msg);
      done = TRUE;
    } else if (msg) {
      take_missing (err, msg);
    }
    g_clear_pointer (&msg, gst_message_unref);
  }
  gst_object_unref (bus);
  return ok;
}

static void
tap (GstElement * pipeline, const char *name, Track * track)
{
  GstAppSinkCallbacks callbacks = { 0, };
  GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), name);

  if (!sink)
    return;
  callbacks.new_sample = on_sample;
  gst_app_sink_set_callbacks (GST_APP_SINK (sink), &callbacks, track, NULL);
  g_object_set (sink, "sync", FALSE, "enable-last-sample", FALSE, NULL);
  gst_object_unref (sink);
}

static GstElement *
parse (const char *launch, GrError * err)
{
  GError *gerror = NULL;
  GstElement *pipeline = gst_parse_launch_full (launch, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &gerror);

  if (!pipeline) {
    gr_error_set (err, gerror, launch);
    g_error_free (gerror);
  }
  return pipeline;
}

GrReel *
gr_collect (const char *launch, const char *location, uint64_t max_bytes, const int32_t * cancel, GrError * err)
{
  GstElement *pipeline = parse (launch, err);
  GstElement *file;
  GrReel *reel;
  gboolean ok;

  if (!pipeline)
    return NULL;
  file = gst_bin_get_by_name (GST_BIN (pipeline), "file");
  if (file) {
    g_object_set (file, "location", location, NULL);
    gst_object_unref (file);
  }
  reel = reel_new (max_bytes);
  tap (pipeline, "video", &reel->track[0]);
  tap (pipeline, "audio", &reel->track[1]);
  ok = run_to_end (pipeline, cancel, &reel->too_big, err);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
  if (ok)
    return reel;
  gr_reel_free (reel, TRUE);
  return NULL;
}

/* --- the order of display ----------------------------------------------------------------------------- */

typedef struct {
  uint32_t *order;
  guint count, room;
  GstCaps *label;
} Order;

static GstFlowReturn
on_picture (GstAppSink * sink, gpointer user_data)
{
  Order *o = user_data;
  GstSample *sample = gst_app_sink_pull_sample (sink);
  GstReferenceTimestampMeta *meta;

  if (!sample)
    return GST_FLOW_OK;
  meta = gst_buffer_get_reference_timestamp_meta (gst_sample_get_buffer (sample), o->label);
  if (meta && o->count < o->room)
    o->order[o->count++] = (uint32_t) meta->timestamp;
  gst_sample_unref (sample);
  return GST_FLOW_OK;
}

static void
push_numbered (GstElement * source, GstBuffer ** buffers, guint count, GstCaps * label)
{
  guint i;

  for (i = 0; i < count; i++) {
    GstBuffer *b = gst_buffer_copy (buffers[i]);
    GST_BUFFER_PTS (b) = GST_BUFFER_DTS (b) = i * GST_SECOND;
    GST_BUFFER_DURATION (b) = GST_SECOND;
    gst_buffer_add_reference_timestamp_meta (b, label, i, GST_CLOCK_TIME_NONE);
    if (gst_app_src_push_buffer (GST_APP_SRC (source), b) != GST_FLOW_OK)
      break;
  }
  gst_app_src_end_of_stream (GST_APP_SRC (source));
}

int
gr_display_order (const char *launch, const char *caps, GstBuffer ** buffers, uint32_t count, uint32_t * order,
    GrError * err)
{
  GstAppSinkCallbacks callbacks = { 0, };
  GstElement *pipeline = parse (launch, err), *source, *sink;
  Order o = { order, 0, count, NULL };
  GstCaps *in;
  gboolean ok;

  if (!pipeline)
    return -1;
  o.label = gst_caps_new_empty_simple ("timestamp/x-decoding-order");
  in = gst_caps_from_string (caps);
  source = gst_bin_get_by_name (GST_BIN (pipeline), "source");
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_object_set (source, "caps", in, "format", GST_FORMAT_TIME, "max-bytes", (guint64) 0, "block", FALSE, NULL);
  gst_caps_unref (in);
  callbacks.new_sample = on_picture;
  gst_app_sink_set_callbacks (GST_APP_SINK (sink), &callbacks, &o, NULL);
  gst_element_set_state (pipeline, GST_STATE_PAUSED); /* appsrc takes buffers from here on */
  push_numbered (source, buffers, count, o.label);
  ok = run_to_end (pipeline, NULL, NULL, err);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (source);
  gst_object_unref (sink);
  gst_object_unref (pipeline);
  gst_caps_unref (o.label);
  return ok ? (int) o.count : -1;
}
