/* storm main|others LINE LINE
 *
 * Runs two pipelines at once in a main loop that takes SIGINT and SIGTERM by g_unix_signal_add, whose handlers run on the stack of whichever thread
 * gets the signal. "others" blocks both in this thread, so that the others get them, those of the plugin among them. Says "ready" when records flow in both;
 * at SIGUSR1 it ends them and says what it got. */
#include "host.h"
#include <glib-unix.h>

static guint interrupts, terminations, ended, count;
static GstElement *pipelines[8];
static GMainLoop *loop;

static gboolean
on_interrupt (gpointer unused)
{
  interrupts++;
  return G_SOURCE_CONTINUE;
}

static gboolean
on_terminate (gpointer unused)
{
  terminations++;
  return G_SOURCE_CONTINUE;
}

static gboolean
on_end (gpointer unused)
{
  guint i;
  for (i = 0; i < count; i++)
    gst_element_send_event (pipelines[i], gst_event_new_eos ());
  return G_SOURCE_CONTINUE;
}

static gboolean
on_message (GstBus *bus, GstMessage *m, gpointer unused)
{
  GError *err = NULL;
  switch (GST_MESSAGE_TYPE (m)) {
    case GST_MESSAGE_ERROR:
      gst_message_parse_error (m, &err, NULL);
      die (GST_MESSAGE_SRC_NAME (m), err->message);
      break;
    case GST_MESSAGE_EOS:
      if (++ended == count)
        g_main_loop_quit (loop);
      break;
    default:
      break;
  }
  return TRUE;
}

static gboolean
on_tick (gpointer unused)
{
  guint i;
  for (i = 0; i < count; i++)
    if (figure (pipelines[i], "records-delivered") < 100)
      return G_SOURCE_CONTINUE;
  printf ("ready\n");
  fflush (stdout);
  return G_SOURCE_REMOVE;
}

int
main (int argc, char **argv)
{
  guint i;
  gst_init (NULL, NULL);
  loop = g_main_loop_new (NULL, FALSE);
  g_unix_signal_add (SIGINT, on_interrupt, NULL);
  g_unix_signal_add (SIGTERM, on_terminate, NULL);
  g_unix_signal_add (SIGUSR1, on_end, NULL);
  for (i = 2; i < (guint) argc; i++) {
    GstBus *bus;
    pipelines[count] = parse (argv[i]);
    bus = gst_element_get_bus (pipelines[count]);
    gst_bus_add_watch (bus, on_message, NULL);
    gst_object_unref (bus);
    play (pipelines[count++]);
  }
  if (strcmp (argv[1], "others") == 0) {
    sigset_t set;
    sigemptyset (&set);
    sigaddset (&set, SIGINT);
    sigaddset (&set, SIGTERM);
    pthread_sigmask (SIG_BLOCK, &set, NULL);
  }
  g_timeout_add (10, on_tick, NULL);
  g_main_loop_run (loop);
  for (i = 0; i < count; i++) {
    GstBus *bus = gst_element_get_bus (pipelines[i]);
    gst_bus_remove_watch (bus);
    gst_object_unref (bus);
    gst_element_set_state (pipelines[i], GST_STATE_NULL);
    printf ("books %u accepted %" G_GUINT64_FORMAT " delivered %" G_GUINT64_FORMAT " dropped %" G_GUINT64_FORMAT "\n", i,
        figure (pipelines[i], "records-accepted"), figure (pipelines[i], "records-delivered"), figure (pipelines[i], "records-dropped"));
    gst_object_unref (pipelines[i]);
  }
  g_main_loop_unref (loop);
  gst_deinit ();
  printf ("got %u interrupts and %u terminations\n", interrupts, terminations);
  return 0;
}
