/* What an element's Go half asks of GStreamer: messages, times, logging, signals. */
#include "ggo.h"

GQuark
ggo_error_domain (gint domain)
{
  switch (domain) {
    case 1: return GST_CORE_ERROR;
    case 2: return GST_LIBRARY_ERROR;
    case 3: return GST_RESOURCE_ERROR;
    default: return GST_STREAM_ERROR;
  }
}

/* Posts an error, warning or info message. Takes details (may be NULL). */
void
ggo_element_message (GstElement * e, gint type, gint domain, gint code, const gchar * text, const gchar * debug,
    const gchar * file, const gchar * function, gint line, GstStructure * details)
{
  gst_element_message_full_with_details (e, type, ggo_error_domain (domain), code, g_strdup (text), g_strdup (debug),
      file, function, line, details);
}

void
ggo_element_post_qos (GstElement * e, gboolean live, guint64 running_time, guint64 stream_time, guint64 timestamp,
    guint64 duration, guint64 processed, guint64 dropped)
{
  GstMessage *m = gst_message_new_qos (GST_OBJECT (e), live, running_time, stream_time, timestamp, duration);
  gst_message_set_qos_stats (m, GST_FORMAT_BUFFERS, processed, dropped);
  gst_element_post_message (e, m);
}

void
ggo_element_post_progress (GstElement * e, gint type, const gchar * code, const gchar * text)
{
  gst_element_post_message (e, gst_message_new_progress (GST_OBJECT (e), type, code, text));
}

/* Unix time in ns of a running time: the wall clock now, less what the pipeline's clock says has passed since. -1 without a clock. */
gint64
ggo_element_unix_time (GstElement * e, guint64 running_time)
{
  GstClock *clock = gst_element_get_clock (e);
  gint64 wall, then;
  guint64 now;

  if (clock == NULL || !GST_CLOCK_TIME_IS_VALID (running_time)) {
    if (clock != NULL)
      gst_object_unref (clock);
    return -1;
  }
  then = (gint64) (gst_element_get_base_time (e) + running_time);
  now = gst_clock_get_time (clock);
  wall = g_get_real_time () * 1000;
  gst_object_unref (clock);
  return wall - ((gint64) now - then);
}

guint64
ggo_element_running_time (GstElement * e)
{
  return gst_element_get_current_running_time (e);
}

gint
ggo_element_next_state (GstElement * e)
{
  gint s;
  GST_OBJECT_LOCK (e);
  s = GST_STATE_NEXT (e);
  GST_OBJECT_UNLOCK (e);
  return s;
}

gint
ggo_element_state (GstElement * e)
{
  gint s;
  GST_OBJECT_LOCK (e);
  s = GST_STATE (e);
  GST_OBJECT_UNLOCK (e);
  return s;
}

void
ggo_log (GstDebugCategory * cat, gint level, gpointer object, const gchar * file, const gchar * function, gint line, const gchar * text)
{
  gst_debug_log (cat, level, file, function, line, object, "%s", text);
}

gint *
ggo_category_threshold (GstDebugCategory * cat)
{
  return &cat->threshold;
}

/* Says in the log what has no place on a bus. */
void
ggo_complain (gpointer object, const gchar * text)
{
  if (object != NULL)
    GST_ERROR_OBJECT (object, "%s", text);
  else
    GST_ERROR ("%s", text);
}

/* The types of a signal's parameters, of which 8 can cross; gives their number, -1 where there is no such signal. */
gint
ggo_signal_params (gpointer object, const gchar * name, gint * types)
{
  GSignalQuery q;
  guint i, id = g_signal_lookup (name, G_OBJECT_TYPE (object));

  if (id == 0)
    return -1;
  g_signal_query (id, &q);
  for (i = 0; i < q.n_params && i < 8; i++)
    types[i] = ggo_gtype_type (q.param_types[i] & ~G_SIGNAL_TYPE_STATIC_SCOPE);
  return q.n_params;
}

/* Emits a signal by name with as many arguments as it has; what result holds is the caller's. */
void
ggo_emit (gpointer object, const gchar * name, guint n, GgoValue * args, GgoValue * result)
{
  GValue values[9] = { G_VALUE_INIT };
  GValue ret = G_VALUE_INIT;
  GSignalQuery q;
  GType t;
  guint i;

  result->type = GGO_NONE;
  g_signal_query (g_signal_lookup (name, G_OBJECT_TYPE (object)), &q);
  g_value_init (&values[0], G_OBJECT_TYPE (object));
  g_value_set_object (&values[0], object);
  for (i = 0; i < n; i++) {
    g_value_init (&values[i + 1], q.param_types[i] & ~G_SIGNAL_TYPE_STATIC_SCOPE);
    ggo_value_to_gvalue (&args[i], &values[i + 1]);
  }
  t = q.return_type & ~G_SIGNAL_TYPE_STATIC_SCOPE;
  if (t != G_TYPE_NONE)
    g_value_init (&ret, t);
  g_signal_emitv (values, q.signal_id, 0, t != G_TYPE_NONE ? &ret : NULL);
  if (t != G_TYPE_NONE) {
    ggo_value_from_gvalue (&ret, result);
    ggo_value_own (result);
    g_value_unset (&ret);
  }
  for (i = 0; i <= n; i++)
    g_value_unset (&values[i]);
}

gchar *
ggo_dup_object_name (gpointer object)
{
  return gst_object_get_name (GST_OBJECT (object));
}

gchar *
ggo_dup_object_path (gpointer object)
{
  return gst_object_get_path_string (GST_OBJECT (object));
}
