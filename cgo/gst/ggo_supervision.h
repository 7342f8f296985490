/* What a program needs to keep a pipeline alive: see supervision.go. */
#ifndef GGO_SUPERVISION_H
#define GGO_SUPERVISION_H

#include <gst/gst.h>

void ggo_trace_paths (GstElement * pipeline);
const gchar *ggo_message_path (GstMessage * m);
gboolean ggo_pad_busy (GstPad * pad);
gint ggo_rejoin (GstElement * child, GstElement * pipeline);
gint ggo_current_state (GstElement * e);
void ggo_recalculate_latency (GstElement * bin);
const gchar *ggo_library_file (void);
guint ggo_forget_library (const gchar * basename);

#endif
