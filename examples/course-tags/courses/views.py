from django.http import JsonResponse

from .models import Course


def course_list(request):
    """The published courses with their tags, as the front page shows them."""
    courses = Course.objects.exclude(published_at=None).prefetch_related('tags')
    return JsonResponse({
        'courses': [
            {'title': course.title, 'level': course.level, 'tags': [tag.name for tag in course.tags.all()]}
            for course in courses
        ],
    })
