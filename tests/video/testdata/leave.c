/* leave order|exit MS LINE
 *
 * Plays the line for so many milliseconds and ends: in order, with the pipeline in NULL and given back, or by exit() in the midst of it, while its threads go on:
 * then the handlers that libraries have for the exit run under them. */
#include <gst/gst.h>
#include <stdlib.h>
#include <string.h>

int
main (int argc, char **argv)
{
  GError *err = NULL;
  GstElement *p;
  gst_init (NULL, NULL);
  p = gst_parse_launch_full (argv[3], NULL, GST_PARSE_FLAG_FATAL_ERRORS, &err);
  if (err) {
    g_printerr ("%s\n", err->message);
    return 2;
  }
  if (gst_element_set_state (p, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE)
    return 3;
  g_usleep (atoi (argv[2]) * 1000);
  if (strcmp (argv[1], "exit") == 0)
    exit (0);
  gst_element_set_state (p, GST_STATE_NULL);
  gst_object_unref (p);
  gst_deinit ();
  return 0;
}
