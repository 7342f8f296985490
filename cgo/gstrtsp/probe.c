#include "gstrtsp.h"

#include <gst/pbutils/pbutils.h>

void
gr_probe_clear (GrProbe * probe)
{
  g_clear_pointer (&probe->container_caps, g_free);
  g_clear_pointer (&probe->video_caps, g_free);
  g_clear_pointer (&probe->audio_caps, g_free);
}

static char *
caps_text (GstDiscovererStreamInfo * info)
{
  GstCaps *caps = gst_discoverer_stream_info_get_caps (info);
  char *text;

  if (!caps)
    return NULL;
  text = gst_caps_to_string (caps);
  gst_caps_unref (caps);
  return text;
}

/* first_caps prefers what moves: a cover picture beside the film is a video stream too. */
static char *
first_caps (GList * streams)
{
  char *text = NULL;
  GList *l;

  for (l = streams; l && !text; l = l->next) {
    if (GST_IS_DISCOVERER_VIDEO_INFO (l->data) && gst_discoverer_video_info_is_image (l->data))
      continue;
    text = caps_text (l->data);
  }
  if (!text && streams)
    text = caps_text (streams->data);
  gst_discoverer_stream_info_list_free (streams);
  return text;
}

static void
read_info (GstDiscovererInfo * info, GrProbe * out, GrError * err)
{
  GstDiscovererStreamInfo *top = gst_discoverer_info_get_stream_info (info);
  const gchar **details = gst_discoverer_info_get_missing_elements_installer_details (info);

  if (top && GST_IS_DISCOVERER_CONTAINER_INFO (top))
    out->container_caps = caps_text (top);
  g_clear_object (&top);
  out->video_caps = first_caps (gst_discoverer_info_get_video_streams (info));
  out->audio_caps = first_caps (gst_discoverer_info_get_audio_streams (info));
  out->duration = GST_CLOCK_TIME_IS_VALID (gst_discoverer_info_get_duration (info))
      ? (int64_t) gst_discoverer_info_get_duration (info) : -1;
  if (details && details[0])
    err->missing = g_strdup (details[0]);
}

int
gr_probe (const char *path, uint64_t timeout, GrProbe * out, GrError * err)
{
  GError *gerror = NULL;
  GstDiscoverer *disco = NULL;
  GstDiscovererInfo *info = NULL;
  char *uri = gst_filename_to_uri (path, &gerror);

  if (uri)
    disco = gst_discoverer_new (timeout, &gerror);
  if (disco)
    info = gst_discoverer_discover_uri (disco, uri, &gerror);
  if (info)
    read_info (info, out, err);
  if (gerror)
    gr_error_set (err, gerror, NULL);
  else if (!info)
    gr_error_say (err, "the file tells nothing");
  g_clear_object (&info);
  g_clear_object (&disco);
  g_clear_error (&gerror);
  g_free (uri);
  return err->message == NULL;
}
