from django.contrib import admin
from django.urls import path

from courses import views

urlpatterns = [
    path('admin/', admin.site.urls),
    path('', views.course_list, name='course-list'),
]
