#include "gstrtsp.h"

#include <gst/pbutils/pbutils.h>
#include <string.h>

void
gr_error_clear (GrError * err)
{
  g_clear_pointer (&err->domain, g_free);
  g_clear_pointer (&err->message, g_free);
  g_clear_pointer (&err->debug, g_free);
  g_clear_pointer (&err->missing, g_free);
}

void
gr_error_set (GrError * err, const GError * gerror, const char *debug)
{
  if (err->message)
    return; /* the first one names the cause */
  err->domain = g_strdup (g_quark_to_string (gerror->domain));
  err->code = gerror->code;
  err->message = g_strdup (gerror->message);
  err->debug = g_strdup (debug);
}

void
gr_error_say (GrError * err, const char *message)
{
  if (!err->message)
    err->message = g_strdup (message);
}

void
gr_free (void *p)
{
  g_free (p);
}

int
gr_init (GrError * err)
{
  GError *gerror = NULL;

  if (gst_init_check (NULL, NULL, &gerror)) {
    gst_pb_utils_init ();
    return 1;
  }
  if (gerror) {
    gr_error_set (err, gerror, NULL);
    g_error_free (gerror);
  } else {
    gr_error_say (err, "GStreamer does not start");
  }
  return 0;
}

uint64_t
gr_monotonic (void)
{
  GstClock *clock = gst_system_clock_obtain ();
  GstClockTime now = gst_clock_get_time (clock);

  gst_object_unref (clock);
  return now;
}

GstBuffer *
gr_buffer_new (uint64_t size)
{
  return gst_buffer_new_allocate (NULL, size, NULL);
}

GstBuffer *
gr_buffer_from (const void *data, uint64_t size)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, size, NULL);

  if (buffer)
    gst_buffer_fill (buffer, 0, data, size);
  return buffer;
}

int
gr_buffer_open (GstBuffer * buffer, GstMapInfo * map, int write)
{
  return gst_buffer_map (buffer, map, write ? GST_MAP_READWRITE : GST_MAP_READ);
}

void
gr_buffer_close (GstBuffer * buffer, GstMapInfo * map)
{
  gst_buffer_unmap (buffer, map);
}

void
gr_buffer_unref (GstBuffer * buffer)
{
  gst_buffer_unref (buffer);
}
