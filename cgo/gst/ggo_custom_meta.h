/* Metadata of buffers that is a structure: GstCustomMeta. */
#pragma once
#include <gst/gst.h>

void ggo_register_custom_meta (const gchar * name);
gboolean ggo_add_custom_meta (GstBuffer * b, const GstStructure * s);
const GstStructure *ggo_custom_meta (GstBuffer * b, const gchar * name);
