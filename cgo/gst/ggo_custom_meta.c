#include "ggo_custom_meta.h"

void
ggo_register_custom_meta (const gchar * name)
{
  static const gchar *no_tags[] = { NULL };

  if (!gst_meta_get_info (name))
    gst_meta_register_custom (name, no_tags, NULL, NULL, NULL);
}

static gboolean
copy_field (GQuark field, const GValue * value, gpointer to)
{
  gst_structure_id_set_value (to, field, value);
  return TRUE;
}

gboolean
ggo_add_custom_meta (GstBuffer * b, const GstStructure * s)
{
  const GstMetaInfo *info = gst_meta_get_info (gst_structure_get_name (s));
  GstCustomMeta *m;

  if (!info || !gst_meta_info_is_custom (info))
    return FALSE;
  m = gst_buffer_add_custom_meta (b, gst_structure_get_name (s));
  if (!m)
    return FALSE;
  gst_structure_foreach (s, copy_field, gst_custom_meta_get_structure (m));
  return TRUE;
}

const GstStructure *
ggo_custom_meta (GstBuffer * b, const gchar * name)
{
  GstCustomMeta *m = gst_buffer_get_custom_meta (b, name);

  return m ? gst_custom_meta_get_structure (m) : NULL;
}
