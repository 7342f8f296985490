/* What a program needs to keep a pipeline alive while a part of it is taken down and started again. */
#define _GNU_SOURCE             /* dladdr */
#include <dlfcn.h>
#include "ggo_supervision.h"

/* ---- where a message comes from ---- */

static GQuark
path_quark (void)
{
  return g_quark_from_static_string ("ggo-message-path");
}

/* Runs on the posting thread: later the object may be out of its bin, as the children of an element that goes down are. */
static GstBusSyncReply
trace_path (GstBus * bus, GstMessage * m, gpointer data)
{
  if (GST_MESSAGE_SRC (m) != NULL && (GST_MESSAGE_TYPE (m) & (GST_MESSAGE_ERROR | GST_MESSAGE_WARNING | GST_MESSAGE_INFO | GST_MESSAGE_ELEMENT)))
    gst_mini_object_set_qdata (GST_MINI_OBJECT_CAST (m), path_quark (), gst_object_get_path_string (GST_MESSAGE_SRC (m)), g_free);
  return GST_BUS_PASS;
}

void
ggo_trace_paths (GstElement * pipeline)
{
  GstBus *bus = gst_element_get_bus (pipeline);

  gst_bus_set_sync_handler (bus, trace_path, NULL, NULL);
  gst_object_unref (bus);
}

/* Borrowed from the message; NULL where its path was not noted. */
const gchar *
ggo_message_path (GstMessage * m)
{
  return gst_mini_object_get_qdata (GST_MINI_OBJECT_CAST (m), path_quark ());
}

/* ---- who waits for whom ---- */

typedef struct {
  gint refs, idle;
} Idle;

static void
idle_unref (gpointer data)
{
  Idle *i = data;
  if (g_atomic_int_dec_and_test (&i->refs))
    g_free (i);
}

static GstPadProbeReturn
idle_probe (GstPad * pad, GstPadProbeInfo * info, gpointer data)
{
  g_atomic_int_set (&((Idle *) data)->idle, 1);
  return GST_PAD_PROBE_OK;      /* stays until it is removed below, so that its id is good */
}

/* An idle probe is called at once where nothing is being pushed; where it is not, a push has not come back. */
gboolean
ggo_pad_busy (GstPad * pad)
{
  Idle *i = g_new0 (Idle, 1);
  gboolean busy;
  gulong id;

  i->refs = 2;
  id = gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_IDLE, idle_probe, i, idle_unref);
  busy = !g_atomic_int_get (&i->idle);
  if (id != 0)
    gst_pad_remove_probe (pad, id);
  idle_unref (i);
  return busy;
}

/* ---- back into the pipeline ---- */

/* An element that was in NULL has lost the clock and the base time; with those of the pipeline its running time goes on. */
gint
ggo_rejoin (GstElement * child, GstElement * pipeline)
{
  GstClock *clock = gst_element_get_clock (pipeline);

  if (clock != NULL) {
    gst_element_set_clock (child, clock);
    gst_object_unref (clock);
  }
  gst_element_set_base_time (child, gst_element_get_base_time (pipeline));
  gst_element_set_start_time (child, gst_element_get_start_time (pipeline));
  return gst_element_set_state (child, GST_STATE_PLAYING);
}

gint
ggo_current_state (GstElement * e)
{
  gint s;

  GST_OBJECT_LOCK (e);
  s = GST_STATE (e);
  GST_OBJECT_UNLOCK (e);
  return s;
}

void
ggo_recalculate_latency (GstElement * bin)
{
  gst_bin_recalculate_latency (GST_BIN (bin));
}

/* ---- libraries ---- */

/* The file of libgstreamer itself; NULL where the loader does not tell. */
const gchar *
ggo_library_file (void)
{
  Dl_info info;

  if (dladdr ((void *) gst_init_check, &info) == 0)
    return NULL;
  return info.dli_fname;
}

/* Takes the plugins of a library's file name out of this process' registry, so that nothing asks for the library to be loaded. */
guint
ggo_forget_library (const gchar * basename)
{
  GstRegistry *r = gst_registry_get ();
  GList *plugins = gst_registry_get_plugin_list (r), *l;
  guint n = 0;

  for (l = plugins; l != NULL; l = l->next) {
    const gchar *file = gst_plugin_get_filename (l->data);
    gchar *base = file != NULL ? g_path_get_basename (file) : NULL;
    if (g_strcmp0 (base, basename) == 0 && !gst_plugin_is_loaded (l->data)) {
      gst_registry_remove_plugin (r, l->data);
      n++;
    }
    g_free (base);
  }
  gst_plugin_list_free (plugins);
  return n;
}
