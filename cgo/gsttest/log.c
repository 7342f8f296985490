/* What a debug category says. */
#include "gt.h"
#include <string.h>

struct _GtLog {
  GMutex lock;
  GString *text;
  gchar *category;
};

static void
note (GstDebugCategory * category, GstDebugLevel level, const gchar * file, const gchar * function, gint line,
    GObject * object, GstDebugMessage * message, gpointer data)
{
  const gchar *name = gst_debug_level_get_name (level);
  GtLog *l = data;

  if (g_strcmp0 (gst_debug_category_get_name (category), l->category) != 0)
    return;
  g_mutex_lock (&l->lock);
  g_string_append_printf (l->text, "%.*s %s\n", (gint) strcspn (name, " "), name, gst_debug_message_get (message));
  g_mutex_unlock (&l->lock);
}

GtLog *
gt_log_new (const gchar * category, gint level)
{
  GtLog *l = g_new0 (GtLog, 1);

  g_mutex_init (&l->lock);
  l->text = g_string_new (NULL);
  l->category = g_strdup (category);
  gst_debug_add_log_function (note, l, NULL);
  gst_debug_set_threshold_for_name (category, level);
  return l;
}

gchar *
gt_log_take (GtLog * l)
{
  gchar *s;

  g_mutex_lock (&l->lock);
  s = g_strdup (l->text->str);
  g_string_truncate (l->text, 0);
  g_mutex_unlock (&l->lock);
  return s;
}

void
gt_log_free (GtLog * l)
{
  gst_debug_unset_threshold_for_name (l->category);
  gst_debug_remove_log_function_by_data (l);
  g_string_free (l->text, TRUE);
  g_mutex_clear (&l->lock);
  g_free (l->category);
  g_free (l);
}
