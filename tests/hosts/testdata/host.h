/* What the hosts share. A host is a C program that knows nothing of Go: it loads the plugin as any other. */
#ifndef HOST_H
#define HOST_H

#include <errno.h>
#include <gst/gst.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

/* Far more than anything here takes on a machine that works. */
#define LIMIT_US (G_GINT64_CONSTANT (90) * G_USEC_PER_SEC)

static void
die (const char *what, const char *why)
{
  printf ("FAILED %s: %s\n", what, why ? why : "");
  fflush (stdout);
  _exit (1);
}

static inline GstElement *
parse (const char *line)
{
  GError *err = NULL;
  GstElement *p = gst_parse_launch_full (line, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &err);
  if (err)
    die (line, err->message);
  return p;
}

static inline void
play (GstElement *p)
{
  if (gst_element_set_state (p, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE)
    die (GST_OBJECT_NAME (p), "it does not play");
}

/* A figure of the stats of the element "sink". */
static inline guint64
figure (GstElement *p, const char *name)
{
  GstElement *sink = gst_bin_get_by_name (GST_BIN (p), "sink");
  GstStructure *s = NULL;
  guint64 n = 0;
  g_object_get (sink, "stats", &s, NULL);
  if (!s || !gst_structure_get_uint64 (s, name, &n))
    die ("stats", name);
  gst_structure_free (s);
  gst_object_unref (sink);
  return n;
}

/* Waits until n records were delivered: then all of the Go side runs. */
static inline void
await_delivered (GstElement *p, guint64 n)
{
  gint64 end = g_get_monotonic_time () + LIMIT_US;
  while (figure (p, "records-delivered") < n) {
    if (g_get_monotonic_time () > end)
      die ("await_delivered", "nothing is delivered");
    g_usleep (2000);
  }
}

/* Ends the stream, waits until the pipeline says so, and lets it go after its books were printed. An EOS that is sent while a live pipeline is still on
 * its way to PLAYING can lock GStreamer 1.22 up, whatever the sink; so it waits for that. */
static inline void
finish (GstElement *p)
{
  GstBus *bus = gst_element_get_bus (p);
  GstMessage *m;
  if (gst_element_get_state (p, NULL, NULL, LIMIT_US * 1000) != GST_STATE_CHANGE_SUCCESS)
    die ("finish", "it does not reach PLAYING");
  gst_element_send_event (p, gst_event_new_eos ());
  m = gst_bus_timed_pop_filtered (bus, LIMIT_US * 1000, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  if (!m)
    die ("finish", "no end of stream");
  if (GST_MESSAGE_TYPE (m) == GST_MESSAGE_ERROR) {
    GError *err = NULL;
    gst_message_parse_error (m, &err, NULL);
    die ("finish", err->message);
  }
  gst_message_unref (m);
  gst_object_unref (bus);
  gst_element_set_state (p, GST_STATE_NULL);
  printf ("books %s accepted %" G_GUINT64_FORMAT " delivered %" G_GUINT64_FORMAT " dropped %" G_GUINT64_FORMAT "\n", GST_OBJECT_NAME (p),
      figure (p, "records-accepted"), figure (p, "records-delivered"), figure (p, "records-dropped"));
  gst_object_unref (p);
}

#endif
