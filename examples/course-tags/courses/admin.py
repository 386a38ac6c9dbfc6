from django.contrib import admin

from .models import Course, CourseTag, Tag


class CourseTagInline(admin.TabularInline):
    model = CourseTag
    extra = 1


@admin.register(Course)
class CourseAdmin(admin.ModelAdmin):
    inlines = [CourseTagInline]
    prepopulated_fields = {'slug': ['title']}


@admin.register(Tag)
class TagAdmin(admin.ModelAdmin):
    prepopulated_fields = {'slug': ['name']}
